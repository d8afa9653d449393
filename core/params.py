"""Settings that declare themselves: type, range, default and help in one place.

A method's settings are a frozen dataclass whose fields are made with ``integer``, ``real``,
``choice``, ``flag``, ``text``, ``dataset`` or ``run``. The declaration drives validation, the form
on screen, the cache key and the contract tests::

    @dataclass(frozen=True, kw_only=True)
    class LsaParams(Params):
        dim: int = integer(100, low=2, high=1000, help="Number of latent dimensions.")
"""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from core.errors import ParameterError
from core.modality import Modality


@dataclass(frozen=True)
class Suggestion:
    """A value that is offered for a text setting.

    Attributes
    ----------
    value : str
    label : str
        How it reads in the list.
    about : str
        A sentence that is shown once it is chosen; may be empty.
    """

    value: str
    label: str
    about: str = ""


Kind = Literal["integer", "real", "choice", "flag", "text", "dataset", "run"]


@dataclass(frozen=True)
class Spec:
    """The declaration of one setting.

    Attributes
    ----------
    kind : {"integer", "real", "choice", "flag", "text", "dataset", "run"}
    default : int, float, str or bool
    help : str
        One sentence for the person who sets it.
    low, high : float or None
        Inclusive bounds of numbers.
    options : tuple of str
        Allowed values of a choice.
    labels : tuple of str
        How the options read on screen (same length), or empty.
    advanced : bool
        Shown only when details are opened.
    step : float or None
        Step of the number input.
    only_for : tuple of Modality
        The kinds of data the setting matters for; empty for all.
    of : Modality or None
        What kind of dataset a "dataset" setting names, by its id in the workspace or, in a
        notebook, by the path of a file. A "run" setting names an earlier run in the same way.
    is_optional : bool
        Whether a "dataset" setting may stay empty.
    automatic : str
        What the default stands for where it is no value of its own (0 epochs, no column): shown in
        an empty field; "" for a setting whose default means itself.
    only_alike : bool
        Of pairs, whether the setting matters only where both sides are of one kind.
    suggestions : callable or None
        Returns the values that are offered for a "text" setting; any other is taken too. Asked
        each time the form is drawn, since what is at hand may change.
    """

    kind: Kind
    default: Any
    help: str
    low: float | None = None
    high: float | None = None
    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    advanced: bool = False
    step: float | None = None
    only_for: tuple[Modality, ...] = ()
    of: Modality | None = None
    is_optional: bool = False
    automatic: str = ""
    only_alike: bool = False
    suggestions: Callable[[], Sequence[Suggestion]] | None = None

    def concerns(
        self, modality: Modality | None, sides: Sequence[Modality | None] | None = None
    ) -> bool:
        """Tell whether the setting matters for data of a kind; of pairs, for what they pair."""
        if not self.only_for or modality is None:
            return True
        if modality is not Modality.PAIRS or modality not in self.only_for or not sides:
            return modality in self.only_for
        kinds = set(self.only_for) - {Modality.PAIRS}
        if self.only_alike and len(set(sides)) > 1:
            return False
        return not kinds or not kinds.isdisjoint(sides)

    @property
    def allowed(self) -> str:
        """Return the allowed values in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(repr(option) for option in self.options)
        if self.kind == "flag":
            return "true or false"
        if self.kind in {"text", "dataset", "run"}:
            return "a text"
        noun = "an integer" if self.kind == "integer" else "a number"
        return f"{noun} in [{self.low:g}, {self.high:g}]"

    def accepts(self, value: object) -> bool:
        """Tell whether ``value`` is allowed."""
        if self.kind == "flag":
            return isinstance(value, bool)
        if self.kind in {"text", "dataset", "run"}:
            return isinstance(value, str)
        if self.kind == "choice":
            return value in self.options
        number = int if self.kind == "integer" else int | float
        if isinstance(value, bool) or not isinstance(value, number):
            return False
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        return math.isfinite(value) and low <= value <= high

    def invalid_value(self) -> object:
        """Return a value that must be refused; contract tests use it."""
        if self.kind in {"integer", "real"}:
            return (self.high or 0) + 1
        return "no such option" if self.kind == "choice" else 3.5


def integer(
    default: int,
    *,
    low: int,
    high: int,
    help: str,
    step: int = 1,
    advanced: bool = False,
    only_for: Sequence[Modality] = (),
    automatic: str = "",
) -> Any:
    """Declare an integer setting with inclusive bounds."""
    spec = Spec("integer", default, help, low, high, step=step, advanced=advanced)
    return _field(replace(spec, only_for=tuple(only_for), automatic=automatic))


def real(
    default: float,
    *,
    low: float,
    high: float,
    help: str,
    step: float | None = None,
    advanced: bool = False,
    only_for: Sequence[Modality] = (),
    automatic: str = "",
) -> Any:
    """Declare a real-valued setting with inclusive bounds."""
    spec = Spec("real", default, help, low, high, step=step, advanced=advanced)
    return _field(replace(spec, only_for=tuple(only_for), automatic=automatic))


def choice(
    default: str,
    options: Sequence[str],
    *,
    help: str,
    labels: Sequence[str] = (),
    advanced: bool = False,
    only_for: Sequence[Modality] = (),
) -> Any:
    """Declare a setting that takes one of a few texts."""
    spec = Spec(
        "choice", default, help, options=tuple(options), labels=tuple(labels), advanced=advanced
    )
    return _field(replace(spec, only_for=tuple(only_for)))


def flag(
    default: bool,
    *,
    help: str,
    advanced: bool = False,
    only_for: Sequence[Modality] = (),
    only_alike: bool = False,
) -> Any:
    """Declare a yes-or-no setting."""
    spec = Spec("flag", default, help, advanced=advanced, only_for=tuple(only_for))
    return _field(replace(spec, only_alike=only_alike))


def text(
    default: str,
    *,
    help: str,
    advanced: bool = False,
    suggestions: Callable[[], Sequence[Suggestion]] | None = None,
    automatic: str = "",
) -> Any:
    """Declare a free-text setting, with values that are offered for it."""
    spec = Spec("text", default, help, advanced=advanced, suggestions=suggestions)
    return _field(replace(spec, automatic=automatic))


def dataset(
    of: Modality, *, help: str, optional: bool = False, only_for: Sequence[Modality] = ()
) -> Any:
    """Declare a setting that names a dataset of kind ``of``; empty until one is chosen."""
    spec = Spec("dataset", "", help, of=of, is_optional=optional)
    return _field(replace(spec, only_for=tuple(only_for)))


def run(*, help: str) -> Any:
    """Declare a setting that names an earlier run; empty until one is chosen."""
    return _field(Spec("run", "", help))


def _field(spec: Spec) -> Any:
    return dataclasses.field(default=spec.default, metadata={"spec": spec})


@dataclass(frozen=True, kw_only=True)
class Params:
    """Base of all settings; validates every declared field when made.

    Raises
    ------
    ParameterError
        Naming the setting, the allowed values and the value received.
    """

    def __post_init__(self) -> None:
        """Check each value against its declaration."""
        for name, spec in self.specs().items():
            value = getattr(self, name)
            if spec.kind == "real" and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
                object.__setattr__(self, name, value)  # 1 and 1.0 must not differ in a cache key
            if not spec.accepts(value):
                owner = type(self).__name__.removesuffix("Params")
                raise ParameterError(f"{owner}.{name} must be {spec.allowed}, got {value!r}.")

    @classmethod
    def specs(cls) -> dict[str, Spec]:
        """Return the declaration of every setting: simple ones first, own before inherited."""
        declared = {f.name: f.metadata["spec"] for f in dataclasses.fields(cls)}
        own_first = [n for c in cls.__mro__ for n in inspect.get_annotations(c)]
        ordered = {name: declared[name] for name in dict.fromkeys(own_first) if name in declared}
        return dict(sorted(ordered.items(), key=lambda item: item[1].advanced))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make settings from a mapping, refusing names that do not exist.

        Raises
        ------
        ParameterError
            For an unknown name (with the nearest known one) or a value out of range.
        """
        known = cls.specs()
        for name in values:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                allowed = ", ".join(known) or "none"
                raise ParameterError(
                    f"{cls.__name__.removesuffix('Params')} has no setting {name!r}; "
                    f"it has: {allowed}.{hint}"
                )
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values, in order of declaration."""
        return {name: getattr(self, name) for name in self.specs()}
