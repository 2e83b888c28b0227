#!/usr/bin/env bash
# Fuzzes with libFuzzer what comes from outside: payloads, and the files of journal, tables and checkpoints.
#
#     Tests/Fuzz/fuzz.sh run SECONDS [TARGET...]    each target for so long; none named: all
#     Tests/Fuzz/fuzz.sh short                      all of the corpus and a few seconds more, for "make test";
#                                                   before that, planted bugs that each target must find
#     Tests/Fuzz/fuzz.sh merge [TARGET...]          makes Corpus/ a small one that reaches as much
#
# What "run" finds to be worth keeping goes to .build/fuzz/corpus, and is used again. Inputs that break
# something go to "crashes" beside it; those of mended bugs stay in Found/. Seeds are made anew each time, so
# that they are right when a format changes.
set -euo pipefail
cd "$(dirname "$0")/../.."

all=(payload journal segment checkpoint)
# Of a target's merged corpus the longest inputs are kept: they reach the most. None is longer than this.
corpus_files=40
corpus_input_bytes=1500

# The backtracer hangs on a crash. Leaks are not what is looked for; short stacks of allocations and a small
# quarantine make it twice as fast.
export SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS=detect_leaks=0:malloc_context_size=2:quarantine_size_mb=4

# The linker gold crashes on this, so lld, which comes with the toolchain.
build_program() {
  export build=$1
  STEPGATE_FUZZ=1 swift build --quiet --disable-index-store --scratch-path "$build" --product fuzz "${@:2}" \
    -Xcxx -O1 -Xcc -O1 -Xswiftc -use-ld=lld -Xswiftc -sanitize=fuzzer,address \
    -Xcxx -fsanitize=fuzzer-no-link,address -Xcc -fsanitize=fuzzer-no-link,address
  rm -rf "$build/seeds"
  "$build/debug/fuzz" seeds "$build/seeds"
}

# Takes twice as long to build, and is four times as fast; with every check that a debug build has.
build_fast_program() { build_program .build/fuzz -Xswiftc -O -Xswiftc -assert-config -Xswiftc Debug; }

# Fuzzes TARGET for SECONDS; prints one line, or what went wrong and how to repeat it. The timeout is for
# hangs: it is wall-clock time, and a busy machine was seen to stand still for more than a minute.
run_target() {
  local target=$1 seconds=$2 log=$build/$1.log crashes=$build/crashes
  mkdir -p "$build/corpus/$target" "Tests/Fuzz/Corpus/$target" "Tests/Fuzz/Found/$target" "$crashes"
  if "$build/debug/fuzz" "$target" -max_total_time="$seconds" -max_len=8192 -timeout=300 \
    -print_final_stats=1 -artifact_prefix="$crashes/$target-" "$build/corpus/$target" \
    "Tests/Fuzz/Corpus/$target" "Tests/Fuzz/Found/$target" "$build/seeds/$target" >"$log" 2>&1; then
    awk -v target="$target" '
      / cov: / { for (i = 1; i < NF; i++) value[$i] = $(i + 1) }
      /average_exec_per_sec/ { rate = $2 }
      /number_of_executed_units/ { runs = $2 }
      END {
        printf "fuzz %-10s %8d inputs, %5d a second, %5d edges reached\n", target, runs, rate, value["cov:"]
      }' "$log"
    return
  fi
  local input
  input=$(sed -n 's/.*Test unit written to //p' "$log")
  echo "fuzz $target FAILED; all that it said is in $log"
  grep -aE 'Fatal error|recondition failed|ERROR:|(Sources|Tests)/.*:[0-9]+' "$log" | head -20 || true
  if [ -n "$input" ]; then
    echo "repeat it with: SWIFT_BACKTRACE=enable=no $build/debug/fuzz $target $input"
    echo "make it smaller with: $build/debug/fuzz $target -minimize_crash=1 -max_total_time=60" \
      "-artifact_prefix=$crashes/ $input"
  fi
  return 1
}

# Shows that TARGET can fail: from the seeds alone it must find the bug that PlantedBug.swift plants.
run_canary() {
  local target=$1 log=$build/$1-canary.log
  if STEPGATE_FUZZ_CANARY=1 "$build/debug/fuzz" "$target" -seed=1 -max_total_time=120 -max_len=8192 \
    -artifact_prefix="$build/canary-$target-" "$build/seeds/$target" >"$log" 2>&1 \
    || ! grep -aq 'Test unit written to' "$log"; then
    echo "fuzz $target FAILED: it did not find the bug that was planted; see $log"
    return 1
  fi
}

# Calls FUNCTION with each TARGET and what follows, as many at a time as there are processors.
for_each() {
  local function=$1 arguments=$2
  shift 2
  export -f "$function"
  printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' bash -euo pipefail -c "$function {} $arguments"
}

# Without counters, because how often an edge is taken would fill megabytes.
merge_target() {
  local target=$1 merged=$build/merged/$1 committed=Tests/Fuzz/Corpus/$1
  rm -rf "$merged"
  mkdir -p "$merged" "$build/corpus/$target" "$committed"
  "$build/debug/fuzz" "$target" -set_cover_merge=1 -use_counters=0 -max_len="$corpus_input_bytes" "$merged" \
    "$committed" "$build/corpus/$target" "$build/seeds/$target" >"$build/$target.log" 2>&1
  rm -rf "$committed"
  mkdir -p "$committed"
  find "$merged" -type f -printf '%s %p\n' | sort -rn | head -n "$corpus_files" | cut -d ' ' -f 2 \
    | xargs mv -t "$committed"
  echo "corpus $target: $(find "$committed" -type f | wc -l) files, $(cat "$committed"/* | wc -c) bytes"
}

case ${1:-} in
run)
  targets=("${@:3}")
  build_fast_program
  for_each run_target "$2" "${targets[@]:-${all[@]}}"
  ;;
short)
  build_program .build/fuzz-short
  rm -rf "$build/corpus"
  for_each run_canary '' "${all[@]}"
  for_each run_target 3 "${all[@]}"
  ;;
merge)
  targets=("${@:2}")
  build_fast_program
  for target in "${targets[@]:-${all[@]}}"; do merge_target "$target"; done
  ;;
*)
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
  exit 64
  ;;
esac
