"""What to say of a file that is not UTF-8."""

from collections.abc import Iterable

from lib.common.errors import DoppelError


def not_utf8(lines: Iterable[bytes], path: object) -> DoppelError:
    """The refusal of the first line that is not UTF-8, and how to convert the file. The line is never quoted.

    The advice is Windows-1252 (cp1252) for Latin-1 too: they differ in the bytes 0x80 to 0x9f alone, where Latin-1 has
    control characters, which no text needs. To convert a file that is UTF-8 but for one line would garble the rest.

    Args:
        lines: the lines of the file, from the first on.
        path: the file, as it is named to the user.
    """
    remedy = "save it again as UTF-8"
    has_utf8 = False
    for number, line in enumerate(lines, 1):
        try:
            line.decode("utf-8")
            has_utf8 |= not line.isascii()
        except UnicodeDecodeError as error:
            if has_utf8:
                remedy = "lines before it are UTF-8: mend or remove this line"
            elif _fits(line, "cp1252"):
                remedy = (
                    "convert the file: iconv -f cp1252 -t utf8, if it is Western European text (Windows-1252, which "
                    "covers Latin-1; -f latin1 would lose its curly quotes and dashes)"
                )
            sentence, where = f"not UTF-8 at byte {error.start}", f"{path}, line {number}"
            return DoppelError("common.not_utf8", sentence, remedy=remedy, where=where)
    return DoppelError("common.not_utf8", "not UTF-8", remedy=remedy, where=str(path))


def _fits(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
