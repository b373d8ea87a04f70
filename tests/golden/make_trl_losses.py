# SPDX-License-Identifier: Apache-2.0
"""Writes the numbers that tests/preference/golden.cpp compares with: trl's own loss code, run in float64, differentiated by PyTorch.

    pip download trl==1.16.0 --no-deps --dest /tmp/trl && unzip -d /tmp/trl /tmp/trl/*.whl
    .venv/bin/python tests/golden/make_trl_losses.py /tmp/trl          (scripts/setup --peers brings the venv)

The functions DPOTrainer._compute_loss, KTOTrainer._compute_loss, CPOTrainer.cpo_loss and ORPOTrainer.odds_ratio_loss are taken out of
trl's sources and called as they stand, on a model that returns given log-probabilities of tokens; only their conversions to float32 are
made to float64. Losses that trl does not have are written out below, under `ours`.

trl_losses.safetensors: log-probabilities of tokens, pairs x tokens, 0 beyond a response: "tokens.chosen", "tokens.rejected"; the policy's
"log_sum_squares.chosen", "...rejected" alike; the reference's sums "reference.chosen", "reference.rejected"; counts "n.chosen", "n.rejected".
Of each loss "<loss>.mean" over the batch, "<loss>.values" of each pair alone (where it is one of pairs), "<loss>.d_chosen", "<loss>.d_rejected":
the mean's derivatives in the summed log-probabilities. "metrics": trl's chosen and rejected reward, accuracy, margin, log-probabilities.
"ld.d_tokens.chosen", "...rejected": derivatives in the tokens'. "kto.*": labels, mismatched sums, mean, d. "tdpo.*": logits (pairs x tokens
x vocabulary), divergences, and the two losses with derivatives in sums and divergences, "tdpo.d_logits.0" of the first divergence.
"""
import ast
import collections
import math
import pathlib
import sys
import types

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
PAIRS, LONGEST, BETA = 24, 12, 0.1
TRL = pathlib.Path(sys.argv[1]) / "trl"
tensors = {}


def function(path, name, **names):
    """A function or method of this name from a source file of trl."""
    source = (TRL / path).read_text().replace(".float()", ".double()").replace("torch.float32: 80.0", "torch.float64: 80.0")
    node = next(n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef) and n.name == name)
    node.returns, node.decorator_list = None, []
    for argument in node.args.args:
        argument.annotation = None
    scope = dict(torch=torch, F=F, math=math, **names)
    exec(compile(ast.Module([node], []), str(path), "exec"), scope)
    return scope[name]


dpo_loss = function("trainer/dpo_trainer.py", "_compute_loss")
kto_loss = function("trainer/kto_trainer.py", "_compute_loss", is_peft_model=lambda model: False)
cpo_loss = function("experimental/cpo/cpo_trainer.py", "cpo_loss")
odds_loss = function("experimental/orpo/orpo_trainer.py", "odds_ratio_loss", log1mexp=function("experimental/orpo/orpo_trainer.py", "log1mexp"))

accelerator = types.SimpleNamespace(device="cpu", gather_for_metrics=lambda x: x, gather=lambda x: x)


class Outputs(types.SimpleNamespace):
    """What trl reads of a model's outputs; what only its logging reads is 0."""

    def __init__(self, log_probs, log_sum_sq_probs=None):
        zeros = torch.zeros_like(log_probs)
        super().__init__(log_probs=log_probs, log_sum_sq_probs=log_sum_sq_probs, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool(), aux_loss=0)


def trainer(**settings):
    return types.SimpleNamespace(**{**dict(
        accelerator=accelerator, model=types.SimpleNamespace(training=False), aux_loss_enabled=False, ld_alpha=None, precompute_ref_logps=True,
        f_divergence_type="reverse_kl", f_alpha_divergence_coef=0.5, loss_types=["sigmoid"], loss_weights=[1.0], beta=BETA, label_smoothing=0.0,
        use_weighting=False, args=types.SimpleNamespace(discopop_tau=0.05), _metrics=collections.defaultdict(lambda: collections.defaultdict(list)),
        _total_train_tokens=0, _tp_size=1), **settings})


def batch():
    n = torch.randint(2, LONGEST + 1, (2 * PAIRS,))
    used = torch.arange(LONGEST) < n[:, None]
    tokens = -torch.empty(2 * PAIRS, LONGEST).exponential_(1.0) * used
    squares = -torch.empty(2 * PAIRS, LONGEST).exponential_(1.0) * used
    reference = tokens.sum(1) + 2.0 * torch.randn(2 * PAIRS)
    return n, used, tokens, squares, reference


n, used, tokens, squares, reference = batch()


def run(rows, **settings):
    """trl's loss of some pairs: value, gradient in the tokens, trainer."""
    both = torch.tensor(list(rows) + [PAIRS + i for i in rows])
    leaf = tokens[both].clone().requires_grad_()
    mask = torch.cat([torch.zeros(len(both), 1), used[both].double()], 1).long()
    inputs = dict(input_ids=torch.zeros(mask.shape, dtype=torch.long), attention_mask=torch.ones_like(mask), completion_mask=mask,
                  ref_chosen_logps=reference[both][: len(rows)], ref_rejected_logps=reference[both][len(rows):])
    of = trainer(**settings)
    loss = dpo_loss(of, lambda **_: Outputs(leaf, squares[both]), inputs, False)
    loss.backward()
    return loss.detach(), leaf.grad, of


def record(name, values, mean, d_chosen, d_rejected):
    entries = {"mean": mean.reshape(1), "d_chosen": d_chosen, "d_rejected": d_rejected}
    if values is not None:
        entries["values"] = values
    tensors.update({f"{name}.{key}": value for key, value in entries.items()})


def trl(name, paired=True, **settings):
    mean, gradient, _ = run(range(PAIRS), **settings)
    values = torch.stack([run([i], **settings)[0] for i in range(PAIRS)]) if paired else None
    record(name, values, mean, gradient[:PAIRS, 0], gradient[PAIRS:, 0])  # a response's tokens share their derivative


def own(name, loss):
    """A loss of pairs by a function of l_w, l_l, r_w, r_l, n_w, n_l."""
    sums = tokens.sum(1)
    l_w, l_l = sums[:PAIRS].clone().requires_grad_(), sums[PAIRS:].clone().requires_grad_()
    values = loss(l_w, l_l, reference[:PAIRS], reference[PAIRS:], n[:PAIRS].double(), n[PAIRS:].double())
    values.mean().backward()
    d_l = l_l.grad if l_l.grad is not None else torch.zeros(PAIRS)
    record(name, values.detach(), values.mean().detach(), l_w.grad, d_l)


def make_trl():
    for name in ["sigmoid", "hinge", "ipo", "nca_pair", "bco_pair", "sppo_hard", "apo_zero", "apo_down", "discopop", "sigmoid_norm"]:
        trl(name, loss_types=[name])
    for name, smoothing in [("exo_pair", 1e-3), ("robust", 0.1)]:
        trl(name, loss_types=[name], label_smoothing=smoothing)
    for name in ["aot", "aot_unpaired"]:
        trl(name, paired=False, loss_types=[name], label_smoothing=0.1)
    trl("sft", paired=False, loss_types=["sft"])
    for divergence in ["forward_kl", "js_divergence", "alpha_divergence"]:
        trl(f"sigmoid.{divergence}", f_divergence_type=divergence)
    trl("ipo.js_divergence", loss_types=["ipo"], f_divergence_type="js_divergence")
    trl("hinge.alpha_divergence", loss_types=["hinge"], f_divergence_type="alpha_divergence")
    trl("sigmoid+sft", paired=False, loss_types=["sigmoid", "sft"], loss_weights=[1.0, 0.3])
    trl("wpo", use_weighting=True)
    mean, gradient, _ = run(range(PAIRS), ld_alpha=0.3)
    tensors.update({"ld.mean": mean.reshape(1), "ld.d_tokens.chosen": gradient[:PAIRS], "ld.d_tokens.rejected": gradient[PAIRS:]})
    _, _, of = run(range(PAIRS))
    found = of._metrics["eval"]
    tensors["metrics"] = torch.tensor([found[key][0] for key in ["rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins",
                                                                 "logps/chosen", "logps/rejected"]])


def make_cpo():
    def settings(**changes):
        return types.SimpleNamespace(**{**dict(accelerator=accelerator, alpha=0.0, loss_type="sigmoid", beta=BETA, simpo_gamma=0.5, label_smoothing=0.0), **changes})

    own("cpo", lambda l_w, l_l, *_: cpo_loss(settings(), l_w, l_l)[0])
    own("cpo_hinge", lambda l_w, l_l, *_: cpo_loss(settings(loss_type="hinge"), l_w, l_l)[0])
    own("cpo_ipo", lambda l_w, l_l, *_: cpo_loss(settings(loss_type="ipo"), l_w, l_l)[0])
    own("simpo", lambda l_w, l_l, r_w, r_l, n_w, n_l: cpo_loss(settings(loss_type="simpo", beta=2.0), l_w / n_w, l_l / n_l)[0])
    own("alphapo", lambda l_w, l_l, r_w, r_l, n_w, n_l: cpo_loss(settings(loss_type="simpo", beta=2.0, alpha=0.25), l_w / n_w, l_l / n_l)[0])
    own("odds_ratio", lambda l_w, l_l, r_w, r_l, n_w, n_l: -odds_loss(settings(), l_w / n_w, l_l / n_l)[0])


def make_ours():
    def logistic(z):
        return -F.logsigmoid(z)

    def c2(log, power):
        def loss(l_w, l_l, r_w, r_l, *_):
            g = (l_w - r_w + l_l - r_l) if log else torch.logaddexp(l_w, l_l) - torch.logaddexp(r_w, r_l)
            return logistic(BETA * (l_w - r_w - l_l + r_l)) + 0.01 * g.abs() ** power
        return loss

    def scored(h):
        return lambda l_w, l_l, r_w, r_l, *_: logistic(BETA * (h(l_w - r_w) - h(l_l - r_l)))

    def ratios(loss):
        return lambda l_w, l_l, r_w, r_l, n_w, n_l: loss(l_w - r_w, l_l - r_l)

    own("cdpo", ratios(lambda a, b: 0.9 * logistic(BETA * (a - b)) + 0.1 * logistic(-BETA * (a - b))))
    own("ipo_sums", ratios(lambda a, b: (a - b - 5.0) ** 2))
    own("dpop", ratios(lambda a, b: logistic(0.3 * (a - b - 5.0 * torch.relu(-a)))))
    own("cal_dpo", ratios(lambda a, b: logistic(a - b) + (a - 5.0) ** 2 + (b + 5.0) ** 2))
    own("squared_hellinger", scored(lambda a: 1 - torch.exp(-a / 2)))
    own("chi_square", scored(lambda a: 2 * (torch.exp(a) - 1)))
    own("chipo", scored(lambda a: a.exp() + a))
    own("squared_po", scored(lambda a: a * torch.exp(torch.clamp(-a, max=50.0))))
    own("rpo", lambda l_w, l_l, r_w, r_l, n_w, n_l: logistic(BETA * (l_w - r_w - l_l + r_l)) - 0.7 * l_w / n_w)
    own("slic", lambda l_w, l_l, *_: torch.relu(1.0 - l_w + l_l))
    for log in [True, False]:
        for power in [1, 2]:
            own(f"c2_{'log' if log else 'identity'}_l{power}", c2(log, power))


def make_kto():
    sums, labels = tokens.sum(1), torch.arange(2 * PAIRS) % 3 != 0
    mismatched = sums.roll(1) - 1.0 + torch.randn(2 * PAIRS)
    reference_mismatched = mismatched - 0.7 - 0.5 * torch.randn(2 * PAIRS)
    tensors.update({"kto.labels": labels.double(), "kto.mismatched": mismatched, "kto.reference_mismatched": reference_mismatched})
    mask = torch.cat([torch.zeros(2 * PAIRS, 1), used.double()], 1).long()
    for kind in ["kto", "apo_zero_unpaired"]:
        leaf = tokens.clone().requires_grad_()
        of = trainer(loss_type=kind, calculate_KL=kind == "kto", desirable_weight=1.3, undesirable_weight=0.8, _compute_kl_logps=lambda model, batch: mismatched,
                     _compute_loss=None)
        inputs = dict(input_ids=torch.zeros(mask.shape, dtype=torch.long), attention_mask=torch.ones_like(mask), completion_mask=mask, label=labels,
                      ref_logps=reference, ref_KL_logps=reference_mismatched)
        loss = kto_loss(of, lambda **_: Outputs(leaf), inputs, False)
        loss.backward()
        tensors.update({f"kto.{kind}.mean": loss.detach().reshape(1), f"kto.{kind}.d": leaf.grad[:, 0]})


def make_tdpo():
    vocabulary = 7
    logits, of_reference = (2 * torch.randn(2 * PAIRS, LONGEST, vocabulary) for _ in range(2))
    logits.requires_grad_()
    log_p, log_q = logits.log_softmax(-1), of_reference.log_softmax(-1)
    kl = ((log_q.exp() * (log_q - log_p)).sum(-1) * used).sum(1)
    (d_logits,) = torch.autograd.grad(kl[0], logits)
    tensors.update({"tdpo.logits": logits.detach(), "tdpo.reference_logits": of_reference, "tdpo.kl": kl.detach(), "tdpo.d_logits.0": d_logits[0]})
    sums = tokens.sum(1)
    for kind in [1, 2]:
        l, k = sums.clone().requires_grad_(), kl.detach().clone().requires_grad_()
        a = l - reference
        z = BETA * (a[:PAIRS] - a[PAIRS:])
        if kind == 1:
            m = z - BETA * (k[PAIRS:] - k[:PAIRS])
        else:
            m = z - 0.5 * (BETA * k[PAIRS:] - (BETA * k[:PAIRS]).detach())
        loss = -F.logsigmoid(m).mean()
        loss.backward()
        tensors.update({f"tdpo{kind}.mean": loss.detach().reshape(1), f"tdpo{kind}.d": l.grad, f"tdpo{kind}.d_kl": k.grad})


if __name__ == "__main__":
    for side, rows in [("chosen", slice(0, PAIRS)), ("rejected", slice(PAIRS, None))]:
        tensors.update({f"tokens.{side}": tokens[rows], f"log_sum_squares.{side}": squares[rows], f"reference.{side}": reference[rows],
                        f"n.{side}": n[rows].double()})
    make_trl()
    make_cpo()
    make_ours()
    make_kto()
    make_tdpo()
    save_file({key: value.detach().clone().contiguous() for key, value in tensors.items()},
              pathlib.Path(__file__).with_name("trl_losses.safetensors"), {"torch": torch.__version__, "trl": "1.16.0"})
