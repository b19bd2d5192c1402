"""The page of results as its tests read it, and made-up files of results that it is made from."""

from html.parser import HTMLParser

import benchmark_runs
import numpy as np
import pandas as pd

from benchmarks import page
from benchmarks.measures import MEASURES

TAU_MEASURES = [*page._BY_TEMPERATURE, "kl", "gof", "wd"]
ODD = '<b>&"odd"</b>'
"""A name that HTML has to escape."""


class Page(HTMLParser):
    """What a page holds: tags in order, texts, and the tables by the name of their box."""

    VOID = ("meta", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts, self.tables, self.headings = [], [], [], {}, []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag not in self.VOID:
            self.open.append((tag, attrs))
        if tag == "table":
            # A name may come twice: the tables of data are those of several parts.
            box, held = self.open[-2]
            assert (box, held["class"], held["tabindex"]) == ("div", "scroll", "0")
            self.tables.setdefault((self.headings[-1], held["aria-label"]), [])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "h2":
            self.headings.append("")

    @property
    def rows(self):
        return list(self.tables.values())[-1]

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        self.texts.append(data)
        if self.open and self.open[-1][0] in ("td", "th"):
            self.rows[-1][-1] += data
        elif self.open and self.open[-1][0] == "h2":
            self.headings[-1] += data


def noisy(runs, measures, seed=0):
    """Return runs whose figures all differ."""
    figures = np.random.default_rng(seed).uniform(0.1, 0.9, (len(runs), len(measures)))
    return runs.assign(**dict(zip(measures, figures.T)))


def q1(tables=("abalone", "loan"), seed=0, **columns):
    runs = benchmark_runs.made_up(tables, MEASURES, **{"model": "default", **columns})
    return noisy(runs.assign(n_train=99, n_columns=5, sample_s=1.0), list(MEASURES), seed)


def peers(*names, tables=("abalone", "loan"), **columns):
    parts = [q1(tables, seed=k, **columns).assign(peer=name) for k, name in enumerate(names, start=7)]
    runs = pd.concat(parts, ignore_index=True).drop(columns="model")
    runs["fit_s"] = [10.0**k for k, name in enumerate(names) for _ in range(len(runs) // len(names))]
    return runs.assign(peak_mib=500.0, packages="some 1.0")


def tau(taus=(1, 2), tables=("abalone", "loan")):
    parts = [benchmark_runs.made_up(tables, TAU_MEASURES, model="default", tau=one) for one in taus]
    absent = dict.fromkeys(("domias_prior_auc", "domias_kde_auc", "synthcity"))
    return noisy(pd.concat(parts, ignore_index=True), TAU_MEASURES).assign(**absent)


def made_up_files():
    q3 = ["bias", "coverage", "width", "bias_fixed", "coverage_fixed", "width_fixed", "crps"]
    interval = {"model": "default", "level": 50, "epochs": 3.0}
    columns = [
        benchmark_runs.made_up(["abalone"], ["claimed", "covered"], column=name, **interval)
        for name in ("x", "y")
    ]
    return {
        "q1": pd.concat([q1(), q1(model="baseline", seed=1)], ignore_index=True),
        "peers": peers("ctgan", "arf", ODD),
        "tau": tau(),
        "q2": benchmark_runs.made_up(["abalone"], ["smape", "f1"], mechanism="MAR"),
        "q3": benchmark_runs.made_up(["loan"], q3, mechanism="MCAR", m=9, n_rows=99, impute_s=1.0),
        "calibration": noisy(pd.concat(columns, ignore_index=True), ["claimed", "covered"]),
    }


def render(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, runs in files.items():
        runs.to_csv(folder / f"{name}.csv", index=False)
    return page.render(folder)
