"""The report's parts on questions 2 and 3: our figures beside the published ones."""

import benchmark_runs
import pandas as pd
import pytest
from benchmark_runs import calls_of, lines_of, write_report

from benchmarks import data, q3, report_imputation, report_incomplete

MEASURES = [
    *("smape", "f1", "bias", "coverage", "width", "crps"),
    *("bias_fixed", "coverage_fixed", "width_fixed"),
]


def made_up(tables, mechanisms=("MCAR",), **columns):
    """Return results of three seeds a table and mechanism."""
    effort = {"m": 100, "n_rows": 99, "impute_s": 2.0}
    return pd.concat(
        [
            benchmark_runs.made_up(tables, MEASURES, mechanism=name, **{**effort, **columns})
            for name in mechanisms
        ],
        ignore_index=True,
    )


def test_question_2_by_table_and_mechanism():
    text = report_incomplete.write(made_up(["abalone", "loan"], ["MCAR", "MNARQ-released"], f1=0.9))
    # Of .25, .5 and .75 the standard error is .25 / sqrt(3).
    smape, f1 = lines_of(text, "| abalone")
    assert smape == (
        "| abalone | 0.500 ± 0.144 (3) | 0.042 ± 0.000 | 0.500 ± 0.144 (3) | 0.041 ± 0.000 |"
    )
    assert f1 == "| abalone | 0.900 ± 0.000 (3) | 0.216 ± 0.003 | 0.900 ± 0.000 (3) | 0.211 ± 0.003 |"
    assert lines_of(text, "| kings")[0] == "| kings | n/a | 0.180 ± 0.003 | n/a | 0.179 ± 0.004 |"
    # (.042 + .417 + .111 + .24 + .18 + .107 + .278 + .112 + .091) / 9
    assert lines_of(text, "| **mean**")[0].startswith("| **mean** | n/a | 0.175 |")


def test_question_2_gives_a_mean_over_all_nine_tables():
    text = report_incomplete.write(made_up(data.NAMES))
    assert lines_of(text, "| **mean**")[0] == "| **mean** | 0.500 | 0.175 |"


def test_question_3_recomputes_means_over_the_five_tables():
    text = report_imputation.write(made_up(q3.TABLES))
    assert lines_of(text, "| macode |")[0].startswith("| macode | 0.500 | 0.500 | 0.500 | 0.500 |")
    # Widths (.034 + .055 + .084 + .054 + .036) / 5, although .045 is printed.
    assert lines_of(text, "| published MIWAE")[0].startswith(
        "| published MIWAE | 0.007 | 0.949 | 0.053 |"
    )
    part = report_imputation.write(made_up(q3.TABLES[1:]))
    assert lines_of(part, "| macode |")[0].startswith("| macode | n/a | n/a |")


def test_question_3_by_table():
    text = report_imputation.write(made_up(["whitewine"], ["MNARL"], coverage=0.9))
    (line,) = lines_of(text, "| whitewine | macode")
    assert line.startswith("| whitewine | macode | 0.500 ± 0.144 (3) | 0.900 ± 0.000 (3) |")
    assert line.endswith("| 0.009 ± 0.001 | 0.827 ± 0.037 | 0.034 ± 0.001 |")
    assert "| macode | whitewine | 99 | 7.0 | 11.0 | 2.0 |" in text


@pytest.mark.parametrize("part", [report_incomplete, report_imputation])
def test_the_released_masks_stand_beside_the_figures_published_as_mnarq(part):
    described, released = (
        part.write(made_up(["abalone"], [name])) for name in ("MNARQ", "MNARQ-released")
    )
    assert "MNARQ-released: means" in released or "| MNARQ-released | published |" in released
    # What the paper calls MNARQ is not what it describes.
    assert "± 0.0" not in lines_of(described, "| abalone")[0].split("(3)")[-1]
    assert "± 0.0" in lines_of(released, "| abalone")[0].split("(3)")[-1]


def test_commands_repeat_the_runs():
    runs = pd.concat(
        [
            made_up(["abalone", "loan"], ["MCAR", "MAR"]),
            made_up(["kings"], ["MAR"])[:2],
            made_up(["loan"], model="iterative", epochs=5, max_rows=300, m=3),
        ]
    )
    text = report_imputation.write(runs)
    assert calls_of(text, "q3") == [
        "abalone,loan --mechanisms MCAR,MAR --seeds 0,1,2 --model macode --m 100",
        "kings --mechanisms MAR --seeds 0,1 --model macode --m 100",
        "loan --mechanisms MCAR --seeds 0,1,2 --model iterative --m 3 --max-rows 300 --epochs 5",
    ]
    assert lines_of(text, "**iterative (300 rows, 5 epochs), 3 imputations**: 2 CPU cores; 2030-01-01;")


def test_the_parts_are_there_if_their_results_are(tmp_path):
    incomplete, imputed = (f"(question {number} of the paper)" for number in (2, 3))
    text = write_report(tmp_path, q2=made_up(["abalone"]))
    assert incomplete in text
    assert imputed not in text
    text = write_report(tmp_path, q3=made_up(["abalone"]))
    assert incomplete in text
    assert imputed in text
