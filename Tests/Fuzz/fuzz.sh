#!/usr/bin/env bash
# Fuzzes with libFuzzer what comes from outside: payloads, and the files of journal, tables and checkpoints.
#
#     Tests/Fuzz/fuzz.sh run SECONDS [TARGET...]    each target for so long; none named: all
#     Tests/Fuzz/fuzz.sh check SECONDS              as run, in a build that is made faster and runs slower
#     Tests/Fuzz/fuzz.sh merge [TARGET...]          makes Corpus/ a small one that reaches as much
#
# What is found to be worth keeping goes to .build/fuzz/corpus, and is used again; inputs that break something
# go to .build/fuzz/crashes. Seeds are made anew each time, so that they are right when a format changes.
set -euo pipefail
cd "$(dirname "$0")/../.."

build=.build/fuzz
corpus=.build/fuzz/corpus
committed=Tests/Fuzz/Corpus
found=Tests/Fuzz/Found
all=(payload journal segment checkpoint)

# The backtracer hangs on a crash. Leaks are not what is looked for; short stacks of allocations and a small
# quarantine make it twice as fast.
export SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS=detect_leaks=0:malloc_context_size=2:quarantine_size_mb=4

# Four times as fast as a debug build, with every check that one has.
optimised=(-Xswiftc -O -Xswiftc -assert-config -Xswiftc Debug)

# The linker gold crashes on this, so lld.
build_program() {
  STEPGATE_FUZZ=1 swift build --quiet --disable-index-store --scratch-path $build --product fuzz "$@" \
    -Xcxx -O1 -Xcc -O1 -Xswiftc -use-ld=lld -Xswiftc -sanitize=fuzzer,address \
    -Xcxx -fsanitize=fuzzer-no-link,address -Xcc -fsanitize=fuzzer-no-link,address
  program=$build/debug/fuzz
  rm -rf $build/seeds
  $program seeds $build/seeds
}

# Prints one line, or what went wrong and how to repeat it.
run_target() {
  local target=$1 seconds=$2 log=$build/$1.log
  mkdir -p $corpus/"$target" $committed/"$target" $found/"$target" $build/crashes
  if $program "$target" -max_total_time="$seconds" -max_len=8192 -timeout=20 -print_final_stats=1 \
    -artifact_prefix=$build/crashes/"$target"- $corpus/"$target" $committed/"$target" \
    $found/"$target" $build/seeds/"$target" >"$log" 2>&1; then
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
    echo "repeat it with: SWIFT_BACKTRACE=enable=no $program $target $input"
    echo "make it smaller with: $program $target -minimize_crash=1 -max_total_time=60 $input"
  fi
  return 1
}

run_targets() {
  local seconds=$1 failed=0
  shift
  for target in "$@"; do run_target "$target" "$seconds" || failed=1; done
  return $failed
}

# Without counters, because how often an edge is taken would fill megabytes.
merge_target() {
  local target=$1 merged=$build/merged
  rm -rf $merged
  mkdir -p $merged $corpus/"$target" $committed/"$target"
  $program "$target" -set_cover_merge=1 -use_counters=0 -max_len=2048 $merged $committed/"$target" \
    $corpus/"$target" $build/seeds/"$target" >$build/"$target".log 2>&1
  rm -rf ${committed:?}/"$target"
  mv $merged $committed/"$target"
  du -sb --apparent-size $committed/"$target"
  find $committed/"$target" -type f | wc -l
}

case ${1:-} in
run)
  targets=("${@:3}")
  build_program "${optimised[@]}"
  run_targets "$2" "${targets[@]:-${all[@]}}"
  ;;
check)
  build=.build/fuzz-check
  build_program
  run_targets "$2" "${all[@]}"
  ;;
merge)
  targets=("${@:2}")
  build_program "${optimised[@]}"
  for target in "${targets[@]:-${all[@]}}"; do merge_target "$target"; done
  ;;
*)
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
  exit 64
  ;;
esac
