// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::Reduction does not fit
#include <mellow/language/supervised.hpp>
#include <mellow/language/transformer.hpp>

using namespace mellow;

struct Half {
  using role = roles::Reduction;
  Index processes() const;
};

language::Supervised learner(language::Transformer<>{}, Vector<>{}, {}, {}, {}, Half{});
