// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything that is header-only. Programs that use a little compile faster with the headers they need; mellow/tools is
// not here, since it needs linking.

#include <mellow/core/buffer.hpp>
#include <mellow/core/environment.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/gemm.hpp>
#include <mellow/core/language_model.hpp>
#include <mellow/core/legacy_numpy_generator.hpp>
#include <mellow/core/mask_reader.hpp>
#include <mellow/core/memory.hpp>
#include <mellow/core/metric.hpp>
#include <mellow/core/nearest.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/newton.hpp>
#include <mellow/core/numerics.hpp>
#include <mellow/core/numpy_generator.hpp>
#include <mellow/core/owning_language_model.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/root_finding.hpp>
#include <mellow/core/running_mean.hpp>
#include <mellow/core/running_moments.hpp>
#include <mellow/core/schedule.hpp>
#include <mellow/core/spaces.hpp>
#include <mellow/core/state.hpp>
#include <mellow/core/token.hpp>
#include <mellow/core/types.hpp>
#include <mellow/core/utf8.hpp>
#include <mellow/core/worker_pool.hpp>
#include <mellow/data/batch.hpp>
#include <mellow/data/epochs.hpp>
#include <mellow/data/preference_pair.hpp>
#include <mellow/data/prioritized_replay.hpp>
#include <mellow/data/ring.hpp>
#include <mellow/data/ring_shape.hpp>
#include <mellow/data/sequence_replay.hpp>
#include <mellow/data/storage.hpp>
#include <mellow/data/sum_tree.hpp>
#include <mellow/data/supervised_example.hpp>
#include <mellow/data/transition.hpp>
#include <mellow/data/uniform_replay.hpp>
#include <mellow/environments/acrobot.hpp>
#include <mellow/environments/action_repeat.hpp>
#include <mellow/environments/angles.hpp>
#include <mellow/environments/any.hpp>
#include <mellow/environments/batch.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/chains.hpp>
#include <mellow/environments/check.hpp>
#include <mellow/environments/dense_mdp.hpp>
#include <mellow/environments/discretized_actions.hpp>
#include <mellow/environments/duplicate_actions.hpp>
#include <mellow/environments/episode_statistics.hpp>
#include <mellow/environments/frame_stack.hpp>
#include <mellow/environments/grid.hpp>
#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/linear_control.hpp>
#include <mellow/environments/linear_mrp.hpp>
#include <mellow/environments/minatar/asterix.hpp>
#include <mellow/environments/minatar/bounded_list.hpp>
#include <mellow/environments/minatar/breakout.hpp>
#include <mellow/environments/minatar/cells.hpp>
#include <mellow/environments/minatar/freeway.hpp>
#include <mellow/environments/minatar/game.hpp>
#include <mellow/environments/minatar/options.hpp>
#include <mellow/environments/minatar/picture.hpp>
#include <mellow/environments/minatar/seaquest.hpp>
#include <mellow/environments/minatar/space_invaders.hpp>
#include <mellow/environments/minatar/submarine.hpp>
#include <mellow/environments/mountain_car.hpp>
#include <mellow/environments/mountain_car_continuous.hpp>
#include <mellow/environments/mountain_car_hill.hpp>
#include <mellow/environments/normalized_observation.hpp>
#include <mellow/environments/normalized_reward.hpp>
#include <mellow/environments/passenger_taxi.hpp>
#include <mellow/environments/pendulum.hpp>
#include <mellow/environments/puddle_world.hpp>
#include <mellow/environments/pure_environment.hpp>
#include <mellow/environments/random_linear.hpp>
#include <mellow/environments/random_mdps.hpp>
#include <mellow/environments/rectangle_puddle_world.hpp>
#include <mellow/environments/replayed.hpp>
#include <mellow/environments/rescaled_observation.hpp>
#include <mellow/environments/rounded_cart_pole.hpp>
#include <mellow/environments/square.hpp>
#include <mellow/environments/state_array.hpp>
#include <mellow/environments/tabular.hpp>
#include <mellow/environments/tabular_mdp.hpp>
#include <mellow/environments/tabular_model.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/environments/vectorized.hpp>
#include <mellow/environments/wrapper.hpp>
#include <mellow/language/attend_one.hpp>
#include <mellow/language/attention.hpp>
#include <mellow/language/byte_tokenizer.hpp>
#include <mellow/language/character_tokenizer.hpp>
#include <mellow/language/choose_token.hpp>
#include <mellow/language/embedding.hpp>
#include <mellow/language/encode_text.hpp>
#include <mellow/language/feed_forward.hpp>
#include <mellow/language/key_value_cache.hpp>
#include <mellow/language/long_addition.hpp>
#include <mellow/language/long_addition_form.hpp>
#include <mellow/language/long_addition_options.hpp>
#include <mellow/language/lora.hpp>
#include <mellow/language/normalization.hpp>
#include <mellow/language/owning.hpp>
#include <mellow/language/owning_step.hpp>
#include <mellow/language/pair_reader.hpp>
#include <mellow/language/pair_set.hpp>
#include <mellow/language/positions.hpp>
#include <mellow/language/preference_kinds.hpp>
#include <mellow/language/preference_training.hpp>
#include <mellow/language/preference_training_options.hpp>
#include <mellow/language/read_out.hpp>
#include <mellow/language/reading.hpp>
#include <mellow/language/record_pairs.hpp>
#include <mellow/language/reduction.hpp>
#include <mellow/language/sampled_pairs.hpp>
#include <mellow/language/sampling.hpp>
#include <mellow/language/sequence_attention.hpp>
#include <mellow/language/softmax_head.hpp>
#include <mellow/language/sum_objective.hpp>
#include <mellow/language/supervised.hpp>
#include <mellow/language/threaded.hpp>
#include <mellow/language/token_objective.hpp>
#include <mellow/language/token_sequences.hpp>
#include <mellow/language/tokenized_examples.hpp>
#include <mellow/language/tokenized_pairs.hpp>
#include <mellow/language/tokenizer.hpp>
#include <mellow/language/training_step.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/language/transformer_block.hpp>
#include <mellow/language/transformer_cache.hpp>
#include <mellow/language/transformer_options.hpp>
#include <mellow/language/transformer_shapes.hpp>
#include <mellow/language/update_figures.hpp>
#include <mellow/models/bregman.hpp>
#include <mellow/models/plan.hpp>
#include <mellow/models/policy_evaluation.hpp>
#include <mellow/models/policy_iteration.hpp>
#include <mellow/models/prioritized_sweeping.hpp>
#include <mellow/models/proximal_iteration.hpp>
#include <mellow/models/uct.hpp>
#include <mellow/models/value_iteration.hpp>
#include <mellow/nn/activation.hpp>
#include <mellow/nn/adagrad.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/adamw.hpp>
#include <mellow/nn/clip.hpp>
#include <mellow/nn/convolution.hpp>
#include <mellow/nn/dense.hpp>
#include <mellow/nn/dueling.hpp>
#include <mellow/nn/flatten.hpp>
#include <mellow/nn/gelu.hpp>
#include <mellow/nn/gradient_check.hpp>
#include <mellow/nn/image.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/layer.hpp>
#include <mellow/nn/layer_norm.hpp>
#include <mellow/nn/leaky_relu.hpp>
#include <mellow/nn/linear.hpp>
#include <mellow/nn/low_rank.hpp>
#include <mellow/nn/minatar_network.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/moments.hpp>
#include <mellow/nn/noisy.hpp>
#include <mellow/nn/optimizer_loop.hpp>
#include <mellow/nn/optimizers.hpp>
#include <mellow/nn/orthogonal.hpp>
#include <mellow/nn/parameter_layout.hpp>
#include <mellow/nn/parts.hpp>
#include <mellow/nn/patches.hpp>
#include <mellow/nn/radam.hpp>
#include <mellow/nn/rmsprop.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/nn/sigmoid.hpp>
#include <mellow/nn/variance_scaling.hpp>
#include <mellow/nn/weight_decay.hpp>
#include <mellow/operators/boltzmann.hpp>
#include <mellow/operators/epsilon_greedy.hpp>
#include <mellow/operators/epsilon_mix.hpp>
#include <mellow/operators/exploration.hpp>
#include <mellow/operators/explore.hpp>
#include <mellow/operators/mask.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/operators/mean.hpp>
#include <mellow/operators/mellowmax.hpp>
#include <mellow/operators/mellowmax_policy.hpp>
#include <mellow/operators/non_expansion.hpp>
#include <mellow/policy/episodes.hpp>
#include <mellow/policy/heads.hpp>
#include <mellow/policy/policy_gradient.hpp>
#include <mellow/policy/reinforce.hpp>
#include <mellow/policy/reinforce_options.hpp>
#include <mellow/policy/reinforce_types.hpp>
#include <mellow/preference/absolute_losses.hpp>
#include <mellow/preference/batch_losses.hpp>
#include <mellow/preference/c2_dpo.hpp>
#include <mellow/preference/diagnosis.hpp>
#include <mellow/preference/displacement.hpp>
#include <mellow/preference/displacement_toy.hpp>
#include <mellow/preference/dpo.hpp>
#include <mellow/preference/elementary.hpp>
#include <mellow/preference/exact.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/generators.hpp>
#include <mellow/preference/inverse_slope.hpp>
#include <mellow/preference/margin_losses.hpp>
#include <mellow/preference/out_of_order.hpp>
#include <mellow/preference/pair.hpp>
#include <mellow/preference/pair_batch.hpp>
#include <mellow/preference/pair_history.hpp>
#include <mellow/preference/pair_loss.hpp>
#include <mellow/preference/pair_objective.hpp>
#include <mellow/preference/pair_record.hpp>
#include <mellow/preference/per_token.hpp>
#include <mellow/preference/reference_free.hpp>
#include <mellow/preference/sum.hpp>
#include <mellow/preference/tabulate.hpp>
#include <mellow/preference/token_loss.hpp>
#include <mellow/preference/token_losses.hpp>
#include <mellow/preference/total_variation.hpp>
#include <mellow/preference/toy_training.hpp>
#include <mellow/preference/unpaired.hpp>
#include <mellow/preference/weighed_tokens.hpp>
#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/bootstrap.hpp>
#include <mellow/statistics/correlation.hpp>
#include <mellow/statistics/estimate.hpp>
#include <mellow/statistics/improvement.hpp>
#include <mellow/statistics/incomplete_beta.hpp>
#include <mellow/statistics/permutation.hpp>
#include <mellow/statistics/profile.hpp>
#include <mellow/statistics/records.hpp>
#include <mellow/statistics/resampling.hpp>
#include <mellow/statistics/scores.hpp>
#include <mellow/statistics/share.hpp>
#include <mellow/statistics/welch.hpp>
#include <mellow/training/callbacks.hpp>
#include <mellow/training/evaluate.hpp>
#include <mellow/training/fit.hpp>
#include <mellow/training/interaction.hpp>
#include <mellow/training/loop.hpp>
#include <mellow/training/run.hpp>
#include <mellow/training/run_options.hpp>
#include <mellow/training/status.hpp>
#include <mellow/value/acting_pass.hpp>
#include <mellow/value/action_blocks.hpp>
#include <mellow/value/action_similarity.hpp>
#include <mellow/value/agent_parts.hpp>
#include <mellow/value/backups.hpp>
#include <mellow/value/categorical_head.hpp>
#include <mellow/value/convex_losses.hpp>
#include <mellow/value/convex_td.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/dqn_options.hpp>
#include <mellow/value/dqn_parts.hpp>
#include <mellow/value/dqn_presets.hpp>
#include <mellow/value/dqn_types.hpp>
#include <mellow/value/expected_td.hpp>
#include <mellow/value/force_constants.hpp>
#include <mellow/value/g_score.hpp>
#include <mellow/value/gradient_td.hpp>
#include <mellow/value/greedy_policy.hpp>
#include <mellow/value/learned.hpp>
#include <mellow/value/learner.hpp>
#include <mellow/value/linear_td.hpp>
#include <mellow/value/lookahead_replicate.hpp>
#include <mellow/value/proximal.hpp>
#include <mellow/value/quantile_head.hpp>
#include <mellow/value/rainbow.hpp>
#include <mellow/value/replicate.hpp>
#include <mellow/value/reset_optimizer.hpp>
#include <mellow/value/sampled_td.hpp>
#include <mellow/value/scalar_head.hpp>
#include <mellow/value/similar_actions.hpp>
#include <mellow/value/similarity_head.hpp>
#include <mellow/value/tabular_options.hpp>
#include <mellow/value/tabular_parts.hpp>
#include <mellow/value/tabular_q.hpp>
#include <mellow/value/tabular_td.hpp>
#include <mellow/value/target_change_diagnosis.hpp>
#include <mellow/value/target_movement.hpp>
#include <mellow/value/target_noise.hpp>
#include <mellow/value/td_loss.hpp>
#include <mellow/value/td_objective.hpp>
#include <mellow/value/td_targets.hpp>
#include <mellow/value/traces.hpp>
#include <mellow/value/tracking.hpp>
#include <mellow/version.hpp>

/// \namespace mellow
/// What all rooms share: types, random numbers, spaces, errors, schedules, state, parts, and the concepts.

/// \namespace mellow::environments
/// Tasks to act in, wrappers around them, and the checker.

/// \namespace mellow::nn
/// Networks over flat vectors of parameters, initialisers, optimisers, and the check of gradients.

/// \namespace mellow::data
/// Transitions, batches and replay.

/// \namespace mellow::operators
/// Operators over action values, and the policies that go with them.

/// \namespace mellow::language
/// Tokens, tokenisers and tasks of language models.

/// \namespace mellow::models
/// Planners over models that are known.

/// \namespace mellow::value
/// Agents that learn values: the deep Q family, tables, and linear functions.

/// \namespace mellow::preference
/// Losses of preferences over log-probabilities, divergences, and the optima that they stand for.

/// \namespace mellow::statistics
/// Aggregate scores with intervals, profiles, comparisons of algorithms, tests.

/// \namespace mellow::training
/// The run loop and evaluation.

/// \namespace mellow::training::streams
/// Streams of a run's seed.

/// \namespace mellow::roles
/// What a part does in an algorithm.

/// \namespace mellow::value::calls
/// Functions of parts, as objects.

/// \namespace mellow::value::moments
/// When a part may act.

/// \namespace mellow::tools
/// What is compiled once: files, plots, the command line, progress.
