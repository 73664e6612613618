"""Turns names into decisions: which parameter is the score, whether larger is better, what the loss is called.

The tables come from reading about a thousand published metric functions.  A name decides only when it is clear:
a wrong guess trains in silence, a question does not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Direction = Literal["maximize", "minimize"]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# In order of priority: what is closest to the raw output of a model comes first.
SCORE_NAMES: tuple[str, ...] = _words(
    """
    y_score y_scores y_prob y_proba probs prob proba probas probabilities probability logits logit scores score
    confidence confidences conf posterior
    preds pred prediction predictions predicted y_pred y_preds y_hat yhat labels_pred label_pred label_preds mask_pred
    predicted_scores output outputs inp input inputs heatmap heatmaps
    distmat dist dists distances sim sims similarity similarities estimate estimates est uplift SR pr
    """
)

TARGET_NAMES: frozenset[str] = frozenset(
    _words("""
    y_true target targets targ targs label labels labels_true label_true label_trues true_label true_labels
    gt GT gts mask masks mask_gt gt_mask ground_truth ground_truths groundtruth truth truths trues true actual actuals
    reference references ref refs annotation annotations relevance relevances rel rels relevant_items qrels qrel correct
    event_time event_times event_observed event_indicator gains grades relevant joints keypoints landmarks
    """)
)

# `x`, `p` … are the score only when another parameter is surely the target.
BY_ELIMINATION: tuple[str, ...] = ("run", "runs", "results", "x", "p", "y_est", "s")
TARGET_BY_ELIMINATION: frozenset[str] = frozenset({"y", "t", "a", "l"})
WEAK_TARGETS: frozenset[str] = frozenset({"mask", "masks", "correct"})  # may also be a validity mask

_SCORE_ENDINGS = ("score", "scores", "logit", "logits", "prob", "probs", "probabilities", "preds", "predictions")
_SCORE_BEGINNINGS = ("pred", "predicted", "y_pred", "y_score")
_TARGET_WORDS = frozenset({"gt", "true", "label", "labels", "ref", "reference", "ideal", "actual", "truth"})
_OPPOSITES_OF_TARGET = frozenset({"nontarget", "non", "impostor", "imposter", "spoof"})

_MAXIMIZE = frozenset(
    _words("""
    accuracy acc accuracies ap map auc auroc roc auprc aupr aucpr prauc f1 f2 fbeta fscore fmeasure
    iou miou giou dice dsc jaccard ndcg dcg mrr rr recall precision sensitivity specificity tpr tnr ppv npv hit hits
    hitrate kappa qwk mcc matthews correlation corr spearman spearmanr pearson pearsonr kendall kendalltau concordance
    cindex lift qini gini purity nmi ari pck pckh oks psnr ssim bleu rouge meteor cider r2 ks success agreement
    likelihood reward profit utility gain informedness separability quality pq gmean youden similarity
    """)
)
_MINIMIZE = frozenset(
    _words("""
    loss losses error errors err cost costs risk distance distances ece mce ace rmse mse mae mape rmsle msle nll
    fpr fpr95 fnr fdr eer hter mindcf dcf wer cer perplexity brier hausdorff hd hd95 assd asd masd aurc eaurc
    miscalibration misclassification misclassifications misranking inversion inversions penalty regret divergence
    deviation discrepancy violation violations mistake mistakes failure failures fid lpips epe tre residual far frr
    """)
)
_PHRASES: dict[Direction, tuple[str, ...]] = {
    "maximize": (
        "reciprocal rank", "true positive", "true positives", "true negative", "true negatives", "hit rate", "hit ratio",
        "negative predictive value", "positive predictive value", "win rate", "f beta", "f score", "f measure", "f 1",
        "c index", "r squared", "r 2", "explained variance", "area under",
    ),
    "minimize": (
        "negative log likelihood", "neg log likelihood", "cross entropy", "false positive", "false positives",
        "false negative", "false negatives", "false discovery", "false alarm", "miss rate", "mean rank", "median rank",
        "average rank",
    ),
}  # fmt: skip
_FLIPS = frozenset({"neg", "minus", "inverse", "inverted", "complement"})
_PREPOSITIONS = frozenset({"at", "of", "for", "with", "by", "from", "under", "over", "per", "in", "on", "given", "vs"})


@dataclass(frozen=True)
class Undecided:
    """The names do not tell; `candidates` are the parameters it could be, `why` says what is missing."""

    candidates: tuple[str, ...]
    why: str


def find_scores(parameters: Sequence[str], optional: Collection[str] = ()) -> tuple[str, ...] | Undecided:
    """The parameters that hold scores; those with a default (`optional`) count only when all have one."""
    required = tuple(name for name in parameters if name not in optional and name not in ("self", "cls"))
    names = required or tuple(name for name in parameters if name not in ("self", "cls"))
    for known in SCORE_NAMES:
        if known in names:
            return (known,)
    compound = _compound_scores(names)
    if compound:
        return compound
    return _by_elimination(names)


def find_targets(parameters: Sequence[str], scores: Collection[str]) -> tuple[str, ...]:
    """The parameters that surely hold targets, in the order of the signature."""
    others = tuple(name for name in parameters if name not in scores)
    known = tuple(name for name in others if name in TARGET_NAMES)
    return known or tuple(name for name in others if name in TARGET_BY_ELIMINATION)


def find_direction(function: str) -> Direction | None:
    """Whether larger values of a metric of this name are better; None when the name does not tell.

    The last telling word is the head of an English compound (`auc_error`), unless a preposition follows it
    (`fpr_at_95_recall`): then what stands before the preposition decides.
    """
    words = split_words(function)
    cut = next((place for place, word in enumerate(words) if place and word in _PREPOSITIONS), len(words))
    found = _last_direction(words[:cut])
    if found is None:
        found = _last_direction(words)
    if found is None or not words:
        return None
    if words[0] in _FLIPS or words[:2] == ("one", "minus"):
        return "minimize" if found == "maximize" else "maximize"
    if words[0] == "negative" and _phrase_at(words, 0) is None:
        return None  # minus the metric, or the metric of the negative class: not for us to guess
    return found


def class_name(function: str) -> str:
    """`average_precision` → `AveragePrecisionLoss`; a name that already ends in loss does not say it twice."""
    joined = "".join(part[:1].upper() + part[1:] for part in function.split("_"))
    if not joined or not joined[0].isidentifier():
        joined = "Metric" + joined
    return joined if joined.endswith("Loss") else joined + "Loss"


def loss_path(path: str | Path) -> Path:
    """`metrics/my_metric.py` → `metrics/my_metric_loss.py`."""
    source = Path(path)
    return source.with_name(f"{source.stem}_loss.py")


def split_words(name: str) -> tuple[str, ...]:
    """The words of a snake_case or camelCase name, in lower case, with trailing digits set apart."""
    words: list[str] = []
    for chunk in filter(None, name.split("_")):
        known = chunk.lower() in _MAXIMIZE | _MINIMIZE
        pieces = [chunk] if known else re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^A-Z\d]+|\d+", chunk)
        words.extend(_known_parts(piece.lower() for piece in pieces))
    return tuple(words)


def _known_parts(pieces: Iterable[str]) -> list[str]:
    """Joins `f` and `1` back into `f1` where the table knows the whole."""
    parts: list[str] = []
    for piece in pieces:
        if parts and piece.isdigit() and parts[-1] + piece in _MAXIMIZE | _MINIMIZE:
            parts[-1] += piece
        else:
            parts.append(piece)
    return parts


def _compound_scores(names: Sequence[str]) -> tuple[str, ...]:
    """`pos_scores, neg_scores`: names made of a score word and something that is not a target word."""
    opposed = any(_OPPOSITES_OF_TARGET & set(name.lower().split("_")) for name in names)
    found = []
    for name in names:
        words = name.lower().split("_")
        scored = words[-1] in _SCORE_ENDINGS or any(name.lower().startswith(f"{start}_") for start in _SCORE_BEGINNINGS)
        targeted = bool(_TARGET_WORDS & set(words)) or (words[0] == "target" and not opposed)
        if len(words) > 1 and scored and not targeted:
            found.append(name)
    return tuple(found)


def _by_elimination(names: Sequence[str]) -> tuple[str, ...] | Undecided:
    sure = (TARGET_NAMES - WEAK_TARGETS) | TARGET_BY_ELIMINATION
    for candidate in BY_ELIMINATION:
        if candidate in names and any(name in sure for name in names if name != candidate):
            return (candidate,)
    rest = tuple(name for name in names if name not in TARGET_NAMES)
    if not names:
        return Undecided((), "the function has no parameters")
    return Undecided(rest or tuple(names), f"none of the names {', '.join(f'`{name}`' for name in names)} tells")


def _last_direction(words: Sequence[str]) -> Direction | None:
    found: Direction | None = None
    place = 0
    while place < len(words):
        phrase = _phrase_at(words, place)
        if phrase is not None:
            found, length = phrase
            place += length
            continue
        if words[place] in _MAXIMIZE:
            found = "maximize"
        elif words[place] in _MINIMIZE:
            found = "minimize"
        place += 1
    return found


def _phrase_at(words: Sequence[str], place: int) -> tuple[Direction, int] | None:
    for direction, phrases in _PHRASES.items():
        for phrase in map(str.split, phrases):
            if list(words[place : place + len(phrase)]) == phrase:
                return direction, len(phrase)
    return None
