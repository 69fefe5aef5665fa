# SPDX-License-Identifier: MIT
"""c_source: what the checks of this folder need to know of a C file, read from its text without a compiler.

It understands this project's style and no other: the functions of a file are the top-level braces that follow a
parameter list. Both branches of an #if are read.
"""
import pathlib
import re
import subprocess

PRODUCT = ('common', 'protocol', 'render', 'display', 'server', 'guest-tools')
TOKEN = re.compile(r'[A-Za-z_]\w*|\d[\w.]*|->|\n|[^\s\w]')
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.M)
OPENING = {'{': '}', '(': ')', '[': ']'}


class Function:
    """`lines` counts from the line of the name to that of the closing brace, both included."""

    def __init__(self, name, is_static, line, lines, body):
        self.name, self.is_static, self.line, self.lines, self.body = name, is_static, line, lines, body


class Definition:
    """`kind` is struct, enum, union, typedef, function, variable or macro."""

    def __init__(self, kind, name, line):
        self.kind, self.name, self.line = kind, name, line


def files(root, suffixes=('.c', '.h'), folders=None):
    """Paths below `root` of the files that belong to the tree: what git tracks or would, or, in an unpacked
    release, all but the folders of builds."""
    root = pathlib.Path(root)
    listed = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd=root,
                            capture_output=True, text=True) if (root / '.git').exists() else None
    if listed and listed.returncode == 0:
        paths = [path for path in listed.stdout.split('\0') if path and (root / path).is_file()]
    else:
        paths = [str(path.relative_to(root)) for path in root.rglob('*') if path.is_file()]
        paths = [path for path in paths if not re.match(r'\.git/|build[^/]*/|cache/', path)]
    return sorted(path for path in paths if (suffixes is None or path.endswith(suffixes))
                  and (folders is None or path.split('/')[0] in folders))


def blank(match):
    return re.sub(r'[^\n]', ' ', match[0])


def code_only(text, keep_directives=False):
    """The text with comments, strings and (unless kept) preprocessor lines replaced by blanks, lines as before."""
    text = NOISE.sub(lambda m: blank(m) if m[0][0] == '/' else '0' + blank(m)[1:], text)
    return text if keep_directives else DIRECTIVE.sub(blank, text)


def tokens(text):
    """[(token, line)] of text that code_only() has made."""
    line, found = 1, []
    for token in TOKEN.findall(text):
        if token == '\n':
            line += 1
        else:
            found.append((token, line))
    return found


def closing(found, start):
    """Index of what closes the bracket at `start`; the last index if nothing does."""
    depth = 0
    for i in range(start, len(found)):
        if found[i][0] in OPENING:
            depth += 1
        elif found[i][0] in OPENING.values():
            depth -= 1
            if depth == 0:
                return i
    return len(found) - 1


def statements(found):
    """Yields the tokens of each top-level declaration, and those of a function's body (else None)."""
    head, i = [], 0
    while i < len(found):
        token = found[i][0]
        if token == '{' and function_name(head):
            end = closing(found, i)
            yield head, found[i:end + 1]
            head, i = [], end
        elif token in OPENING:
            end = closing(found, i)
            head += found[i:end + 1]
            i = end
        elif token == ';':
            yield head, None
            head = []
        else:
            head.append(found[i])
        i += 1


def function_name(head):
    """(name, line) when these tokens, with a brace behind them, begin a function."""
    if not head or head[-1][0] != ')' or '=' in (token for token, _ in flat(head)):
        return None
    depth = 0
    for i in range(len(head) - 1, 0, -1):
        depth += {')': 1, '(': -1}.get(head[i][0], 0)
        if depth == 0:
            return head[i - 1] if re.match(r'[A-Za-z_]', head[i - 1][0]) else None
    return None


def flat(head):
    """The tokens that stand in no bracket; brackets themselves stay, so that `(` still shows where a list begins."""
    depth, found = 0, []
    for token in head:
        if token[0] in OPENING.values():
            depth -= 1
        if depth == 0:
            found.append(token)
        if token[0] in OPENING:
            depth += 1
    return found


def functions(text):
    """Every function that the text defines."""
    for head, body in statements(tokens(code_only(text))):
        if body:
            name, line = function_name(head)
            is_static = 'static' in (token for token, _ in head)
            yield Function(name, is_static, line, body[-1][1] - line + 1, body)


def tags(found):
    for i in range(len(found) - 2):
        if found[i][0] in ('struct', 'enum', 'union') and found[i + 2][0] == '{':
            yield Definition(found[i][0], found[i + 1][0], found[i + 1][1])


def declared(head):
    """Names that a top-level declaration without a body gives to variables of the whole program, or to types."""
    outer = flat(head)
    words = [token for token, _ in outer]
    if not words or words[0] in ('extern', 'static', '_Static_assert') or 'static' in words:
        return
    if words[0] == 'typedef':
        pointer = next((head[i + 2] for i in range(len(head) - 2)
                        if head[i][0] == '(' and head[i + 1][0] == '*'), None)
        name = pointer if pointer and '(' in words else outer[-1]
        yield Definition('typedef', name[0], name[1])
        return
    if '(' in words and '=' not in words:
        return
    names = []
    for i, (token, line) in enumerate(outer):
        if token in ('=', '[', ',') or i == len(outer) - 1:
            before = outer[i - 1] if token in ('=', '[', ',') else outer[i]
            names.append(before)
            if token in ('=', '['):
                break
    for token, line in names:
        if len(words) > 1 and re.match(r'[A-Za-z_]', token) and token not in ('struct', 'enum', 'union') and \
                not (words[0] in ('struct', 'enum', 'union') and token == words[1]):
            yield Definition('variable', token, line)


def definitions(text):
    """Every name that the text defines for more than its own functions: tags, types, functions that are not static,
    global variables, macros."""
    code = code_only(text, keep_directives=True)
    for match in re.finditer(r'^[ \t]*#[ \t]*define[ \t]+(\w+)', code, re.M):
        yield Definition('macro', match[1], code.count('\n', 0, match.start()) + 1)
    found = tokens(DIRECTIVE.sub(blank, code))
    yield from tags(found)
    for head, body in statements(found):
        if body:
            name, line = function_name(head)
            if 'static' not in (token for token, _ in head):
                yield Definition('function', name, line)
        else:
            yield from declared(head)
