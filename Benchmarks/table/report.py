"""The table as Markdown and as JSON."""
import dataclasses, json, math

from . import machine
from .figures import number, spread


def markdown(facts, rounds, quick, results, picture=None):
    out = [f"# Benchmarks\n\nWritten by `scripts/bench{' --quick' if quick else ''}`: every peer in the same run, medians of "
           f"{rounds} rounds (least–most).\n", machine.sentence(facts) + ".\n"]
    if quick:
        out.append("A reduced run: smaller trees and fewer rounds, good for seeing that all works and for a first idea. "
                   "Figures of what is smaller than its promise says are marked with *.\n")
    if picture:
        out.append(f"![Each figure as a share of its promise]({picture})\n")
    out += ["| line | what | promise | figure | kept |", "|---|---|---|---|---|"]
    for name, figures, trouble in results:
        if trouble:
            out.append(f"| {name} | {trouble} | | | not measured |")
        for figure in figures:
            kept = {True: "yes", False: "**no**", None: "–"}[figure.met]
            out.append(f"| {name} | {figure.what} | {figure.promise} | {number(figure.value)} {figure.unit}"
                       f"{'*' if figure.reduced else ''} | {kept} |")
    out += ["\n## What was measured\n", "| line | unit | medians (least–most) |", "|---|---|---|"]
    for name, figures, _ in results:
        for figure in figures:
            if figure.measured:
                values = " · ".join(f"{who} {spread(list(values))}" for who, values in figure.measured.items())
                note = f". {figure.note[0].upper()}{figure.note[1:]}" if figure.note else ""
                out.append(f"| {name} | {figure.measured_in} | {values}{note} |")
    return "\n".join(out) + "\n"


def as_json(facts, rounds, quick, results):
    def plain(value):
        return value if not isinstance(value, float) or math.isfinite(value) else None

    figures = [{key: plain(value) for key, value in dataclasses.asdict(figure).items()} | {"met": figure.met}
               for _, found, _ in results for figure in found]
    return json.dumps({"machine": facts, "rounds": rounds, "quick": quick, "figures": figures,
                       "not_measured": {name: trouble for name, _, trouble in results if trouble}}, indent=2)
