"""The lines that teach a shell to ask for completions.

Hydra's take `=` out of bash's word breaks for every other program, answer for any
script that mentions Hydra, and have none for zsh. These ask one program: `experiments`,
or Python with this very `run.py`.
"""

import shlex
from pathlib import Path

SHELLS = ("bash", "zsh", "fish")

_BASH = """\
_experiments_complete() {
  local line=${COMP_LINE:0:COMP_POINT} word prefix
  __WHEN__
  word=${line##*[[:space:]]}
  local IFS=$'\\n'
  COMPREPLY=($(COMP_LINE=$line __ASK__ -sc query=bash 2> /dev/null))
  # bash completes what is behind the last of its word breaks.
  prefix=${word%"${word##*[=:]}"}
  COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
  [[ ${#COMPREPLY[@]} -gt 0 && ${COMPREPLY[0]} == *[=./] ]] && compopt -o nospace
  return 0
}
complete -o default -F _experiments_complete __PROGRAMS__
"""
_BASH_SCRIPT = '[[ "${COMP_WORDS[1]}" -ef __SCRIPT__ ]] || return 0'
_ZSH = """\
autoload -Uz compinit
(( $+functions[compdef] )) || compinit -i
_experiments_complete() {
  __WHEN__
  local line=${(j: :)words[1,CURRENT-1]}" ${PREFIX}"
  local -a found open closed
  found=(${(f)"$(COMP_LINE=$line __ASK__ -sc query=zsh 2> /dev/null)"})
  open=(${(M)found:#*[=./]})
  closed=(${found:#*[=./]})
  (( $#found )) || { _files; return }
  (( $#open )) && compadd -Q -S '' -- $open
  (( $#closed )) && compadd -Q -- $closed
  return 0
}
compdef _experiments_complete __PROGRAMS__
"""
_ZSH_SCRIPT = "[[ ${words[2]} -ef __SCRIPT__ ]] || { _files; return }"
_FISH = """\
function __experiments_complete
    set -l words (commandline -cpo)
    set -lx COMP_LINE (commandline -cp)
    __ASK__ -sc query=fish 2> /dev/null
end
"""
_FISH_PROGRAM = "complete -c __PROGRAM__ __WHEN__-f -a '(__experiments_complete)'\n"
_FISH_SCRIPT = """\
function __experiments_is_script
    set -l words (commandline -cpo)
    test (count $words) -gt 1; or return
    set -l typed (realpath -- $words[2] 2> /dev/null)
    test "$typed" = __SCRIPT__
end
"""


def describe_install(shell: str, *, script: Path | None) -> str:
    """Returns what a shell has to read.

    Args:
        shell: One of `SHELLS`.
        script: The `run.py` to complete behind `python`; `None` for `experiments`.
    """
    named = "experiments" if script is None else "python python3"
    where = "" if script is None else shlex.quote(str(script.resolve()))
    if shell == "fish":
        return _describe_fish(named.split(), where)
    text, when, words = {
        "bash": (_BASH, _BASH_SCRIPT, "${COMP_WORDS[@]:0:2}"),
        "zsh": (_ZSH, _ZSH_SCRIPT, "${words[1,2]}"),
    }[shell]
    if not where:
        when, words = ":", words.replace(":0:2", ":0:1").replace("1,2", "1")
    asked = f'"{words}"' if shell == "bash" else words
    return (
        text.replace("__WHEN__", when)
        .replace("__ASK__", asked)
        .replace("__SCRIPT__", where)
        .replace("__PROGRAMS__", named)
    )


def describe_uninstall(shell: str, *, script: Path | None) -> str:
    """Returns what takes that back in the shell that has read it; likewise."""
    named = ["experiments"] if script is None else ["python", "python3"]
    if shell == "fish":
        return "".join(f"complete -e -c {name}\n" for name in named)
    program = {"bash": "complete -r", "zsh": "compdef -d"}[shell]
    return f"{program} {' '.join(named)}\n"


def _describe_fish(programs: list[str], where: str) -> str:
    text = _FISH.replace("__ASK__", "$words[1..2]" if where else "$words[1]")
    text += _FISH_SCRIPT.replace("__SCRIPT__", where) if where else ""
    when = "-n __experiments_is_script " if where else ""
    return text + "".join(
        _FISH_PROGRAM.replace("__PROGRAM__", name).replace("__WHEN__", when)
        for name in programs
    )
