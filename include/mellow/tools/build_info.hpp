// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace mellow::tools {

/// The processor's name, as /proc/cpuinfo has it; "unknown" where there is none.
std::string processor_name();

/// The widest vector instructions that this translation unit was compiled for.
inline constexpr std::string_view instruction_set =
#if defined(__AVX512F__)
    "AVX-512";
#elif defined(__AVX2__)
    "AVX2";
#elif defined(__AVX__)
    "AVX";
#elif defined(__ARM_NEON)
    "NEON";
#else
    "SSE2";
#endif

/// The compiler of this translation unit.
inline constexpr std::string_view compiler =
#if defined(__clang__)
    "Clang " __clang_version__;
#else
    "GCC " __VERSION__;
#endif

}  // namespace mellow::tools
