// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/language/feed_forward.hpp>
#include <mellow/language/normalization.hpp>
#include <mellow/language/positions.hpp>
#include <mellow/nn/gelu.hpp>
#include <mellow/nn/sigmoid.hpp>

/// What a transformer is made of: its normalisation, feed-forward part and positions, whether linear layers have biases
/// and whether the head uses the embedding's weights, and the names of its tensors.
namespace mellow::language {

/// The parts of GPT-2 (Radford et al. 2019): LayerNorm before each part, GELU (the exact one), learned positions, biases;
/// a head of its own without bias. Names as in a `state_dict` of nanoGPT, whose layers are all torch.nn.Linear.
struct Gpt {
  /// @{
  /// What it is made of.
  using Norm = LayerNorm;
  using FeedForward = language::FeedForward<nn::GELU>;
  template <class Scalar>
  using Positions = LearnedPositions<Scalar>;
  static constexpr bool has_biases = true;
  static constexpr bool tied_head = false;
  /// @}

  /// @{
  /// Names of its tensors. Those of a layer come after `block`, the layer's number and a dot.
  static constexpr const char* embedding = "transformer.wte.weight";
  static constexpr const char* positions = "transformer.wpe.weight";
  static constexpr const char* block = "transformer.h.";
  static constexpr const char* attention_norm = "ln_1";
  static constexpr const char* query_key_value[] = {"attn.c_attn"};  // one tensor of them all
  static constexpr const char* attention_output = "attn.c_proj";
  static constexpr const char* feed_forward_norm = "ln_2";
  static constexpr const char* feed_forward[] = {"", "mlp.c_fc", "mlp.c_proj"};  // gate, up, down
  static constexpr const char* final_norm = "transformer.ln_f";
  static constexpr const char* head = "lm_head.weight";
  /// @}
};

/// The parts of Llama (Touvron et al. 2023), with the head tied to the embedding as in its small kin: RMSNorm before each
/// part, SwiGLU, rotary positions, no biases. Names as in a `state_dict` of Hugging Face's LlamaForCausalLM.
struct Llama {
  /// @{
  /// What it is made of.
  using Norm = RmsNorm;
  using FeedForward = GatedFeedForward<nn::SiLU>;
  template <class Scalar>
  using Positions = RotaryPositions<Scalar>;
  static constexpr bool has_biases = false;
  static constexpr bool tied_head = true;
  /// @}

  /// @{
  /// Names of its tensors. Those of a layer come after `block`, the layer's number and a dot.
  static constexpr const char* embedding = "model.embed_tokens.weight";
  static constexpr const char* positions = "";
  static constexpr const char* block = "model.layers.";
  static constexpr const char* attention_norm = "input_layernorm";
  static constexpr const char* query_key_value[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"};
  static constexpr const char* attention_output = "self_attn.o_proj";
  static constexpr const char* feed_forward_norm = "post_attention_layernorm";
  static constexpr const char* feed_forward[] = {"mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"};
  static constexpr const char* final_norm = "model.norm";
  static constexpr const char* head = "lm_head.weight";
  /// @}
};

/// Llama with a head of its own.
struct LlamaUntied : Llama {
  static constexpr bool tied_head = false;  ///< other than in `Llama`
};

}  // namespace mellow::language
