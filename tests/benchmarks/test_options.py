"""What the benchmarks read from their command lines."""

import pytest

from benchmarks import masks, options
from macode_plugin import MaCoDE


def test_lists_are_separated_by_commas():
    assert options.names("breast,loan") == ["breast", "loan"]
    assert options.numbers("3,10") == [3, 10]
    assert options.mechanisms(options.MECHANISMS) == ["MCAR", "MAR", "MNARL", "MNARQ"]
    assert options.mechanisms("MNARQ-released") == ["MNARQ-released"]


@pytest.mark.parametrize("text", ["0,1.5", "0,", "0-3"])
def test_what_is_no_number_is_named(text):
    with pytest.raises(ValueError, match=rf"'0,1,2', however: '{text}'"):
        options.numbers(text)


def test_a_strange_mechanism_is_named_beside_the_known_ones():
    with pytest.raises(ValueError, match=r"'MNARQ-released'\], however: \['mcar'\]"):
        options.mechanisms("MAR,mcar")
    assert "mcar" not in masks.MECHANISMS


@pytest.mark.parametrize(("paper", "build"), [(False, MaCoDE), (True, MaCoDE.paper)])
@pytest.mark.parametrize("asked", [{}, {"epochs": 3}])
def test_a_model_has_the_settings_asked_for_and_its_own_otherwise(paper, build, asked):
    found = options.model(7, asked.get("epochs"), paper=paper, lr=0.5)
    expected = build(random_state=7, verbose=False, lr=0.5, **asked)
    assert found.get_params() == expected.get_params()
