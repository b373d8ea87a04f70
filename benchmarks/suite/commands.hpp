// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The commands of `mellow_bench`, each a main of its own: argv[0] is how it was called ("mellow_bench train").
namespace mellow::suite {

void list(int argc, const char* const* argv);       ///< what there is, by name
void train(int argc, const char* const* argv);      ///< a campaign: runs of one agent in one environment over seeds
void reproduce(int argc, const char* const* argv);  ///< the claims of a paper
void report(int argc, const char* const* argv);     ///< a page over all results below a folder
void diagnose(int argc, const char* const* argv);   ///< what a training did to its pairs' probability
void speed(int argc, const char* const* argv);      ///< the speed programs, compared with earlier figures
void trace(int argc, const char* const* argv);      ///< the steps of an environment
void watch(int argc, const char* const* argv);      ///< a trained agent plays

}  // namespace mellow::suite
