"""A bar chart as SVG: groups of bars, each with its value beside it."""

from xml.sax.saxutils import escape

_LABELS, _BARS, _VALUES = 170, 470, 90          # widths
_BAR, _GAP, _TITLE, _MARGIN = 18, 4, 30, 16     # heights
_OURS, _OTHERS = "#0b6e4f", "#9db4c0"


def _text(x, y, text, **attributes):
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x}" y="{y}"{more}>{escape(text)}</text>'


def _group(name, bars, y, longest):
    lines = [_text(_MARGIN, y + 18, name, font_weight="bold")]
    y += _TITLE
    for label, value, text, ours in bars:
        width = max(1, round(_BARS * value / longest))
        lines += [_text(_MARGIN + _LABELS - 8, y + 13, label, text_anchor="end"),
                  f'<rect x="{_MARGIN + _LABELS}" y="{y}" width="{width}" height="{_BAR}"'
                  f' fill="{_OURS if ours else _OTHERS}"/>',
                  _text(_MARGIN + _LABELS + width + 6, y + 13, text)]
        y += _BAR + _GAP
    return lines, y


def svg(title, groups, footer):
    """`groups`: {name: [(label, value, value as text, whether it is ours)]}; lines of text stand
    below."""
    longest = max(value for bars in groups.values() for _, value, *_ in bars)
    y = _MARGIN + 16
    lines = [_text(_MARGIN, y, title, font_size=15, font_weight="bold")]
    for name, bars in groups.items():
        more, y = _group(name, bars, y, longest)
        lines += more
    for line in footer:
        y += 17
        lines.append(_text(_MARGIN, y, line, fill="#555", font_size=11))
    width, height = 2 * _MARGIN + _LABELS + _BARS + _VALUES, y + _MARGIN
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
            f' viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">\n'
            f'<rect width="{width}" height="{height}" fill="white"/>\n'
            + "\n".join(lines) + "\n</svg>\n")
