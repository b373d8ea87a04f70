// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/language/threaded.hpp>
#include <mellow/language/transformer.hpp>

#include "any_language_model.hpp"

namespace mellow::suite {

/// A transformer of a shape that is chosen by name; and that on some threads.
using AnyTransformer =
    AnyLanguageModel<language::Transformer<float, language::Gpt>, language::Transformer<float, language::Llama>,
                     language::Transformer<float, language::LlamaUntied>>;
using ThreadedTransformer = language::Threaded<AnyTransformer>;

/// Such a transformer at some weights, of which samples are drawn; both live elsewhere.
struct ModelToSample {
  const ThreadedTransformer& transformer;
  const Vector<float>& weights;
};

}  // namespace mellow::suite
