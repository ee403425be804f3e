"""The texts of a drawn figure: where they lie, and what the house asks of them."""

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

from qatlas.plotting import COLUMN_WIDTH, FULL_WIDTH


def axis_texts(axis):
    lowest, highest = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [axis.label, *(t.label1 for t in ticks if lowest <= t.get_loc() <= highest)]


def texts(figure):
    """Every text that is drawn: titles, labels, ticks, legends and cells of tables."""
    found = [*figure.texts, figure._supxlabel, figure._supylabel, figure._suptitle]
    legends = [*figure.legends]
    for panel in figure.axes:
        found += [panel.title, *panel.texts]
        legends += [panel.get_legend()]
        if panel.axison:
            found += [*axis_texts(panel.xaxis), *axis_texts(panel.yaxis)]
        found += [cell.get_text() for table in panel.tables for cell in table.get_celld().values()]
    found += [text for legend in legends if legend for text in legend.get_texts()]
    return list({id(t): t for t in found if t and t.get_visible() and t.get_text()}.values())


def boxes(figure):
    """What is drawn and where: texts and their boxes in points, after the layout."""
    # Letters are fitted to pixels: the finer these, the nearer to what is printed.
    figure.set_dpi(72 * 8)
    canvas = FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    renderer = canvas.get_renderer()
    extents = ((text, text.get_window_extent(renderer)) for text in texts(figure))
    return {text: Bbox(box.get_points() / 8) for text, box in extents}


def outside(figure, drawn):
    """Texts that do not lie inside the figure, of all that are drawn and their boxes."""
    width, height = 72 * figure.get_size_inches()
    page = Bbox([[-0.5, -0.5], [width + 0.5, height + 0.5]])
    assert len(drawn) > 4
    return [
        text.get_text()
        for text, box in drawn.items()
        if not all(page.contains(*corner) for corner in box.corners())
    ]


def overlap(one, other):
    """Whether boxes share more than half a point both ways."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return width > 0.5 and height > 0.5


def collisions(drawn):
    """Pairs of texts of which one lies on the other, of all that are drawn and their boxes."""
    return [
        (one.get_text(), other.get_text())
        for (one, box), (other, other_box) in combinations(drawn.items(), 2)
        if overlap(box, other_box)
    ]


def has_width_and_type_of_the_house(figure, drawn):
    """Whether a figure is one column wide or two, and its type has 6 to 8 points."""
    sizes = {text.get_fontsize() for text in drawn}
    return figure.get_figwidth() in (COLUMN_WIDTH, FULL_WIDTH) and sizes <= {6, 6.5, 7, 8}
