"""`smtpshell lesson i18n`: the texts of a lesson out to translators, and their work back in.

    smtpshell lesson i18n extract NAME [--lang de] [--out FILE.po]
    smtpshell lesson i18n merge NAME FILE.po [--out FILE.md]

Texts go out as PO, the format of gettext, because translators have tools for it, and `msgmerge`
brings an old translation to a new extract. What is merged is a lesson file beside its original,
NN-name.de.md: every text that has a translation in the other language, all the rest octet by octet
as it was. So an answer cannot change, and `lesson check` proves that none did.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.options import Parser
from smtpshell.protocol.errors import SmtpshellError, UsageError
from smtpshell.protocol.values import dataclass
from smtpshell.tutor.authoring.po import Catalogue, Entry, parse_po, po_text
from smtpshell.tutor.authoring.texts import Text, replaced, stretches
from smtpshell.tutor.authoring.writing import read_octets, replace_whole, write_new
from smtpshell.tutor.library import LANGUAGE, find, translated_path
from smtpshell.tutor.reader import decoded, read_lesson

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings
    from smtpshell.tutor.lesson import Lesson

GOOD, WRONG = 0, 1
_SLOT = re.compile(r"\{\{[^{}]*\}\}")


def main(words: list[str], settings: Settings) -> int:
    """Do what `smtpshell lesson i18n` says and return the exit status."""
    parser = Parser(
        prog="smtpshell lesson i18n",
        description="Give the texts of a lesson to translators, and take their work in.",
    )
    kinds = parser.add_subparsers(dest="word", metavar="extract|merge", required=True)
    extract = kinds.add_parser("extract", help="write the texts as a PO file of gettext")
    extract.add_argument("lesson", metavar="NAME|FILE")
    extract.add_argument("--lang", default="", metavar="de", help="the language to translate into")
    extract.add_argument("--out", metavar="FILE.po", help="a new file; else standard output")
    merge = kinds.add_parser("merge", help="make the lesson in another language")
    merge.add_argument("lesson", metavar="NAME|FILE")
    merge.add_argument("translation", metavar="FILE.po")
    merge.add_argument("--lang", default="", metavar="de", help="if the PO file does not tell it")
    merge.add_argument(
        "--out", metavar="FILE.md", help="in place of NAME.LANG.md beside the lesson"
    )
    options = parser.parse_args(words)
    path = find(options.lesson)
    text = decoded(read_octets(path), path)
    lesson = read_lesson(text, str(path))
    if options.word == "extract":
        return _extract(lesson, text, options.lang, options.out, settings)
    return _merge(lesson, text, options, settings)


# --- out -----------------------------------------------------------------------------------------


def extracted(lesson: Lesson, text: str, language: str = "") -> Catalogue:
    """Return the texts of a lesson, none of them translated; the same text in a step stands once.

    `text` is that of its file.
    """
    places: dict[Text, list[int]] = {}
    for stretch in stretches(text):
        for each in stretch.texts:
            places.setdefault(each, []).append(stretch.first + 1)
    name = Path(lesson.path).name
    entries = tuple(
        Entry(
            each.source,
            context=each.context,
            comments=(each.context.partition(" ")[2],),
            places=tuple(f"{name}:{line}" for line in lines),
        )
        for each, lines in places.items()
    )
    head = {
        "Project-Id-Version": f"smtpshell-lesson {lesson.id}",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
    }
    return Catalogue(entries, head)


def _extract(lesson: Lesson, text: str, language: str, out: str | None, settings: Settings) -> int:
    catalogue = extracted(lesson, text, _language(language, "--lang") if language else "")
    if out is None:
        sys.stdout.write(po_text(catalogue))
        return GOOD
    write_new(Path(out), po_text(catalogue))
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        print(as_json({"lesson": lesson.id, "file": out, "texts": len(catalogue.entries)}))
    elif not settings.quiet:
        print(f"Wrote {out}: {len(catalogue.entries)} texts to translate")
    return GOOD


def _language(name: str, where: str) -> str:
    if not re.fullmatch(LANGUAGE, name):
        raise UsageError(f"{name!r} is no language", where, "Write de, or pt-br.")
    return name.casefold().replace("_", "-")


# --- in ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Merged:
    """A lesson in another language, and how much of it is.

    `missing` texts stay in the language of the original, `fuzzy` ones among them because nobody
    looked at their translation; `unknown` translations are of texts that the lesson has no more.
    """

    text: str
    texts: int = 0
    missing: int = 0
    fuzzy: int = 0
    unknown: int = 0
    complaints: tuple[str, ...] = ()


def merged(text: str, catalogue: Catalogue, language: str, name: str = "") -> Merged:
    """Return a lesson file with the translations of a catalogue; `name` is that of its file.

    A translation that has other names in braces than its text is complained about.
    """
    wanted = {each for stretch in stretches(text) for each in stretch.texts}
    complaints: list[str] = []
    found: dict[Text, str] = {}
    fuzzy = unknown = 0
    for entry in catalogue.entries:
        each = Text(entry.context, entry.source)
        if each not in wanted:
            unknown += bool(entry.translation)
        elif "fuzzy" in entry.flags:
            fuzzy += 1
        elif entry.translation.strip():
            found[each] = entry.translation
            if problem := _compared(entry.source, entry.translation):
                complaints.append(f"{name}:{entry.line}: {problem}")
    new = _in_language(replaced(text, found), language)
    missing = len(wanted) - len(found)
    return Merged(new, len(wanted), missing, fuzzy, unknown, tuple(complaints))


def _compared(source: str, translation: str) -> str:
    before, after = (Counter(_SLOT.findall(each)) for each in (source, translation))
    for slot in [*(before - after), *(after - before)]:
        return f"the translation {'lacks' if slot in before - after else 'adds'} {slot}"
    return ""


def _in_language(text: str, language: str) -> str:
    """Return a lesson file that says which language it is in."""
    lines = text.split("\n")
    end = next((at for at, line in enumerate(lines) if at and line.strip() == "---"), 1)
    old = next((at for at in range(end) if lines[at].startswith("lang:")), None)
    ending = "\r" if lines[0].endswith("\r") else ""
    lines[end if old is None else old : end if old is None else old + 1] = [
        f"lang: {language}{ending}"
    ]
    return "\n".join(lines)


def _merge(lesson: Lesson, text: str, options: object, settings: Settings) -> int:
    from smtpshell.tutor.essence import first_difference

    given, lang, out = (getattr(options, name) for name in ("translation", "lang", "out"))
    catalogue = parse_po(decoded(read_octets(Path(given)), Path(given)), given)
    language = lang or catalogue.language
    if not language:
        raise UsageError("it does not say its language", given, "Say it with --lang de.")
    language = _language(language, given)
    path = Path(out) if out else translated_path(Path(lesson.path), language)
    result = merged(text, catalogue, language, given)
    for complaint in result.complaints:
        print(f"smtpshell: {complaint}", file=sys.stderr)
    if result.complaints:
        return WRONG
    if difference := first_difference(lesson, read_lesson(result.text, str(path))):
        line, what = difference
        raise SmtpshellError(
            f"the translation changes the lesson: {what}",
            f"{path}:{line}",
            "Look for marks such as ``` in the texts.",
            status=WRONG,
        )
    replace_whole(path, result.text.encode())
    _tell(lesson, path, language, result, settings)
    return GOOD


def _tell(lesson: Lesson, path: Path, language: str, result: Merged, settings: Settings) -> None:
    done = result.texts - result.missing
    if settings.json:
        from smtpshell.transcript.jsonl import as_json

        facts = {"lesson": lesson.id, "lang": language, "file": str(path), "texts": result.texts}
        counts = {"translated": done, "missing": result.missing, "fuzzy": result.fuzzy}
        print(as_json({**facts, **counts, "unknown": result.unknown}))
        return
    if settings.quiet:
        return
    fuzzy = f", {result.fuzzy} of them fuzzy" if result.fuzzy else ""
    print(
        f"Wrote {path}: {done} of {result.texts} texts are translated, "
        f"{result.missing} are not{fuzzy}"
    )
    if result.unknown:
        print(f"{result.unknown} translations are of texts that the lesson has no more")
