"""Runs commands in a terminal of its own and draws what it shows as an animated SVG.

    recording.py OUT.svg SESSION    SESSION is a file with a command per line; they run in the working directory
    recording.py OUT.svg --replay EVENTS

EVENTS is a JSON list of [seconds, text written to the terminal], as a session makes it: for tests of the drawing.
The picture plays in real time, but a command that takes long plays faster. It has the reader's light or dark colours; where
animations are off, it is the last frame.
"""

import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time
import unicodedata
from fcntl import ioctl
from xml.sax.saxutils import escape

COLUMNS, ROWS = 96, 26
# Seconds: between two keys, before and after a command, at the end, and the shortest time that a frame is shown.
KEY, BEFORE, AFTER, END, FRAME = 0.03, 0.4, 1.2, 4.0, 0.2
# Seconds that a command takes in the picture at most.
LONGEST = 8
# Pixels of a character and around the text.
WIDTH, HEIGHT, MARGIN = 7.8, 17, 12
PROMPT = "\x1b[1;32m$\x1b[0m "


class Screen:
    """What a terminal shows: the part of its language that docker and common tools write."""

    SEQUENCE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|\x1b[()].|\x1b[=>78M]|\x1b\][^\x07]*\x07")

    def __init__(self):
        self.lines = [[]]
        self.row = self.column = 0
        self.style = (None, False, False)
        self.rest = ""

    def write(self, text):
        text = self.rest + text
        # A sequence may be cut off by the end of what has been read.
        cut = text.rfind("\x1b")
        self.rest = text[cut:] if cut >= 0 and not self.SEQUENCE.match(text, cut) else ""
        text = text[: len(text) - len(self.rest)]
        at = 0
        while at < len(text):
            found = self.SEQUENCE.match(text, at)
            if found:
                at = found.end()
                if found[2] and not found[1].startswith("?"):
                    self.sequence([int(number or 0) for number in found[1].split(";")], found[2])
                continue
            self.character(text[at])
            at += 1

    def character(self, character):
        if character == "\n":
            self.down()
        elif character == "\r":
            self.column = 0
        elif character == "\b":
            self.column = max(0, self.column - 1)
        elif character == "\t":
            self.column += 8 - self.column % 8
        elif character >= " " and not unicodedata.combining(character):
            if self.column == COLUMNS:
                self.column = 0
                self.down()
            line = self.lines[self.row]
            line.extend([(" ", (None, False, False))] * (self.column + 1 - len(line)))
            line[self.column] = (character, self.style)
            self.column += 1

    def down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append([])

    def sequence(self, numbers, kind):
        count = max(1, numbers[0])
        if kind == "A":
            # A program cannot reach what has scrolled away.
            self.row = max(self.row - count, len(self.lines) - ROWS, 0)
        elif kind == "B":
            for _ in range(count):
                self.down()
        elif kind == "C":
            self.column = min(self.column + count, COLUMNS - 1)
        elif kind == "D":
            self.column = max(0, self.column - count)
        elif kind == "G":
            self.column = count - 1
        elif kind == "K":
            self.erase(numbers[0])
        elif kind == "J":
            self.erase(0)
            del self.lines[self.row + 1 :]
        elif kind == "m":
            self.colour(numbers)
        else:
            sys.exit(f"recording: a program wrote a sequence that is not known: {numbers} {kind}")

    def erase(self, which):
        line = self.lines[self.row]
        if which == 0:
            del line[self.column :]
        else:
            end = len(line) if which == 2 else self.column + 1
            line[:end] = [(" ", (None, False, False))] * min(end, len(line))

    def colour(self, numbers):
        colour, bold, dim = self.style
        for number in numbers:
            if number == 0:
                colour, bold, dim = None, False, False
            elif number == 1:
                bold = True
            elif number == 2:
                dim = True
            elif number == 22:
                bold = dim = False
            elif 30 <= number <= 37:
                colour = number - 30
            elif number == 39:
                colour = None
            elif 90 <= number <= 97:
                colour = number - 90
        self.style = (colour, bold, dim)

    def frame(self):
        """The lines that are seen, each a tuple of (text, style)."""
        lines = self.lines[-ROWS:]
        return tuple(pieces(line) for line in lines)


def pieces(line):
    """The line's characters, joined where their style is the same."""
    result = []
    for character, style in line:
        if result and result[-1][1] == style:
            result[-1][0].append(character)
        else:
            result.append(([character], style))
    joined = [("".join(characters), style) for characters, style in result]
    while joined and not joined[-1][0].strip():
        joined.pop()
    return tuple(joined)


def record(commands):
    """Types and runs the commands: a list of (seconds since the start, text)."""
    events = []
    now = 0.0
    for command in commands:
        events.append((now, PROMPT))
        now += BEFORE
        for key in command:
            events.append((now, key))
            now += KEY
        events.append((now + BEFORE, "\r\n"))
        now += BEFORE
        written = list(run(command))
        speed = max(1, written[-1][0] / LONGEST) if written else 1
        events.extend((now + after / speed, text) for after, text in written)
        now = events[-1][0] + AFTER
    events.append((now, PROMPT))
    return events


def run(command):
    """What the command writes to a terminal, as (seconds since its start, text). It must succeed."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("bash", ["bash", "-c", command])
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    started, left = time.monotonic(), b""
    while True:
        select.select([terminal], [], [])
        try:
            read = os.read(terminal, 65536)
        except OSError:
            read = b""
        if not read:
            break
        left += read
        # A character may be cut off by the end of what has been read.
        text = left.decode(errors="ignore")
        left = left[len(text.encode()) :]
        yield time.monotonic() - started, text
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        sys.exit(f"recording: {command!r} ended with {status}")


def frames(events):
    """What the terminal shows: a list of (seconds since the start, frame)."""
    screen, result = Screen(), []
    for seconds, text in events:
        screen.write(text)
        frame = screen.frame()
        if result and frame == result[-1][1]:
            continue
        if result and seconds - result[-1][0] < FRAME:
            result[-1] = (result[-1][0], frame)
        else:
            result.append((seconds, frame))
    return result


STYLE = """\
svg { --back: #f6f8fa; --text: #24292f; --c1: #b3261e; --c2: #1a7f37; --c3: #9a6700; --c4: #0550ae; --c5: #8250df; --c6: #1b7c83 }
@media (prefers-color-scheme: dark) {
  svg { --back: #161b22; --text: #d6dce3; --c1: #ff7b72; --c2: #56d364; --c3: #e3b341; --c4: #79c0ff; --c5: #d2a8ff; --c6: #56d4dd }
}
text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: var(--text); white-space: pre }
.b { font-weight: bold }
.d { opacity: 0.7 }
"""


def svg(shown, title):
    """The SVG. Frames are a strip below each other, of which a window shows one at a time; equal lines are kept once."""
    total = shown[-1][0] + END
    width, height = COLUMNS * WIDTH + 2 * MARGIN, ROWS * HEIGHT + 2 * MARGIN
    lines, strip, steps = {}, [], []
    for number, (seconds, frame) in enumerate(shown):
        top = number * height
        steps.append(f"{100 * seconds / total:.3f}% {{ transform: translateY({-top}px) }}")
        for row, line in enumerate(frame):
            if line:
                name = lines.setdefault(line, f"l{len(lines)}")
                strip.append(f'<use href="#{name}" y="{top + MARGIN + (row + 1) * HEIGHT - 4}"/>')
    last = f"translateY({-(len(shown) - 1) * height}px)"
    rules = "\n".join(f".c{number} {{ fill: var(--c{number}) }}" for number in range(1, 7))
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" aria-label="{escape(title, {chr(34): "&quot;"})}">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{STYLE}{rules}",
        f"#strip {{ transform: {last}; animation: play {total:.2f}s step-end infinite }}",
        "@keyframes play {",
        *steps,
        "}",
        "@media (prefers-reduced-motion: reduce) { #strip { animation: none } }",
        "</style>",
        "<defs>",
        *(f'<text id="{name}" x="{MARGIN}">{"".join(map(span, line))}</text>' for line, name in lines.items()),
        "</defs>",
        f'<rect width="{width:.0f}" height="{height}" rx="8" fill="var(--back)"/>',
        '<g id="strip">',
        *strip,
        "</g>",
        "</svg>\n",
    ])


def span(piece):
    text, (colour, bold, dim) = piece
    classes = [f"c{colour}" if colour in range(1, 7) else "", "b" if bold else "", "d" if dim else ""]
    names = " ".join(filter(None, classes))
    return f'<tspan class="{names}">{escape(text)}</tspan>' if names else escape(text)


def main():
    out, *rest = sys.argv[1:]
    if rest[0] == "--replay":
        with open(rest[1], encoding="utf-8") as file:
            events, title = json.load(file), "A terminal"
    else:
        with open(rest[0], encoding="utf-8") as file:
            commands = file.read().splitlines()
        events, title = record(commands), "A terminal: " + "; ".join(commands)
    with open(out, "w", encoding="utf-8") as file:
        file.write(svg(frames(events), title))


if __name__ == "__main__":
    main()
