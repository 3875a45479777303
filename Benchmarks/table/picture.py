"""A picture of how each figure stands to its promise."""
from .figures import number

KEPT, BROKEN = "#2a7f62", "#c8553d"


def draw(path, results, caption):
    """Writes an SVG. Raises ImportError where matplotlib is not installed."""
    import matplotlib
    matplotlib.use("svg")
    # Text stays text, and the same figures give the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "flist", "font.size": 9})
    import matplotlib.pyplot as plot

    rows = [figure for _, figures, _ in results for figure in figures if figure.share is not None]
    if not rows:
        return False
    # Beyond ten times a promise nothing more is to be seen.
    shares = [min(max(figure.share, 0.1), 10) for figure in rows]
    drawing, axes = plot.subplots(figsize=(10, 1.2 + 0.32 * len(rows)))
    axes.barh(range(len(rows)), [share - 1 for share in shares], left=1, height=0.6,
              color=[KEPT if figure.met else BROKEN for figure in rows])
    # A figure that is just what was promised has no bar.
    axes.scatter(shares, range(len(rows)), s=14, zorder=3, color=[KEPT if figure.met else BROKEN for figure in rows])
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(0.1, 10)
    axes.set_xticks([0.1, 0.2, 0.5, 1, 2, 5, 10], ["0.1", "0.2", "half", "promise", "twice", "5", "10 and more"])
    axes.minorticks_off()
    axes.set_yticks(range(len(rows)), [f"{figure.name}: {number(figure.value)} {figure.unit} (promised {figure.promise})"
                                       for figure in rows])
    axes.invert_yaxis()
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.set_title("How many times as good as promised", loc="left", fontsize=11)
    axes.set_xlabel(caption, fontsize=7, loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    drawing.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
    plot.close(drawing)
    return True
