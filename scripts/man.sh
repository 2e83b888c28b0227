#!/usr/bin/env bash
# Makes the manual page and the completions of bash, zsh and fish, all by swift-argument-parser, from what the program
# says of itself: man.sh PROGRAM FOLDER. Fails where a command is missing in one of them.
#
# The generator is swift-argument-parser's own. Its plugin would build the whole package once more, so the tool behind
# it is run directly.
set -euo pipefail

program=$1
folder=$2
mkdir -p "$folder"

swift build --quiet --product generate-manual
"$(swift build --show-bin-path)/generate-manual" "$program" --output-directory "$folder"
# In mdoc(7) a paragraph begins with a macro; an empty line is an error to some formatters.
sed -i 's/^$/.Pp/' "$folder/stepgate.1"
"$program" --generate-completion-script bash > "$folder/stepgate.bash"
"$program" --generate-completion-script zsh > "$folder/_stepgate"
"$program" --generate-completion-script fish > "$folder/stepgate.fish"

for command in $("$program" --help | sed -n '/^SUBCOMMANDS:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p'); do
  for file in stepgate.1 stepgate.bash _stepgate stepgate.fish; do
    if ! grep -q -- "$command" "$folder/$file"; then
      echo "man.sh: $folder/$file does not mention $command" >&2
      exit 1
    fi
  done
done
echo "made $folder/stepgate.1 and the completions"
