"""What measures are called wherever they are shown, and which figure of theirs is best."""

from __future__ import annotations

__all__ = [
    "AGAINST_SECONDS",
    "AXES",
    "BESTS",
    "MEASURES",
    "PREDICTION",
    "TITLES",
    "TRADE_OFFS",
    "ideal_sentence",
]

MEASURES = {
    "kl": ("KL", 0.0),
    "gof": ("GoF", 0.0),
    "mmd": ("MMD", 0.0),
    "wd": ("WD", 0.0),
    "smape": ("SMAPE", 0.0),
    "f1": ("F1", 1.0),
    "model_selection": ("Model selection", 1.0),
    "feature_selection": ("Feature selection", 1.0),
    "detector_auc": ("Detector AUC", 0.5),
    "nearest_record_share": ("Nearest-record share", 0.5),
}
"""Title and best value of each measure of question 1, by its column."""

PREDICTION = ("smape", "f1", "model_selection")
"""Measures that held-out rows decide one by one; feature selection is of training alone."""

TITLES = {measure: title for measure, (title, _) in MEASURES.items()}

BESTS = {0.0: "lower is better", 1.0: "higher is better", 0.5: "0.5 is best"}
"""What is said of a best value."""

TRADE_OFFS = (("detector_auc", "membership_auc"), ("f1", "attribute_disclosure"))
"""What is drawn against each other by temperature: quality, privacy."""

AGAINST_SECONDS = ("detector_auc", "smape", "f1")
"""What is drawn against seconds of fitting."""

AXES = {
    "detector_auc": "detector AUC (0.5 is best)",
    "membership_auc": "membership AUC (0.5 is a guess)",
    "f1": "F1 (higher is better)",
    "attribute_disclosure": "attribute disclosure (lower is more private)",
}
"""What the axes of these plots are called."""


def ideal_sentence(ideal: str, *, in_paper: bool) -> str:
    """Return what is best of a measure as a sentence, which says so if the paper lacks the measure."""
    return f"{ideal.capitalize()}{'' if in_paper else '; not in the paper'}."
