// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything that is header-only. Programs that use a little compile faster with the headers they need; mellow/tools is
// not here, since it needs linking.

#include <mellow/core/buffer.hpp>
#include <mellow/core/environment.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/gemm.hpp>
#include <mellow/core/metric.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/numerics.hpp>
#include <mellow/core/numpy_generator.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/schedule.hpp>
#include <mellow/core/spaces.hpp>
#include <mellow/core/state.hpp>
#include <mellow/core/types.hpp>
#include <mellow/data/batch.hpp>
#include <mellow/data/prioritized_replay.hpp>
#include <mellow/data/ring.hpp>
#include <mellow/data/sequence_replay.hpp>
#include <mellow/data/storage.hpp>
#include <mellow/data/sum_tree.hpp>
#include <mellow/data/transition.hpp>
#include <mellow/data/uniform_replay.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/check.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/activation.hpp>
#include <mellow/nn/dense.hpp>
#include <mellow/nn/gradient_check.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/optimizers.hpp>
#include <mellow/nn/orthogonal.hpp>
#include <mellow/operators/epsilon_greedy.hpp>
#include <mellow/operators/mask.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/operators/mellowmax.hpp>
#include <mellow/training/evaluate.hpp>
#include <mellow/training/run.hpp>
#include <mellow/training/status.hpp>
#include <mellow/value/backups.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/dqn_options.hpp>
#include <mellow/value/dqn_parts.hpp>
#include <mellow/value/dqn_types.hpp>
#include <mellow/value/learner.hpp>
#include <mellow/value/scalar_head.hpp>
#include <mellow/value/td_loss.hpp>
#include <mellow/value/tracking.hpp>
#include <mellow/version.hpp>
