#!/usr/bin/env bash
# Tests tools/fetch_data with small replacements of the four files: copies, downloads, damaged files, interrupted
# transfers, exit codes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

names=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)
isolate bash env awk cat cp cut dirname grep gzip head mkdir mv rm sha256sum

# A copy of the tool with the checksums of the replacements.
mkdir -p "$scratch/repo/tools" "$scratch/good" "$scratch/empty"
cp "$root"/tools/{fetch_data,lib.sh,packages} "$scratch/repo/tools"
for name in "${names[@]}"; do
  { echo "$name" && head -c 20000 /dev/urandom; } >"$scratch/$name"
  gzip -c "$scratch/$name" >"$scratch/good/$name.gz"
  (cd "$scratch" && sha256sum "$name") >>"$scratch/repo/tools/fashion_mnist.sha256"
done
expect "names all four files, as the real list does" \
  diff <(cut -c 67- "$root/tools/fashion_mnist.sha256") <(printf '%s\n' "${names[@]}")

source_folder=$scratch/good
fetch_data() { PATH=$bin FASHION_MNIST_SOURCE=$source_folder "$scratch/repo/tools/fetch_data" "$@"; }

expect_complete() { # FOLDER
  local name
  for name in "${names[@]}"; do
    expect "$name.gz is good" cmp -s "$scratch/$name" <(gzip -dc "$1/$name.gz")
  done
  expect "ten class names" [ "$(wc -l <"$1/classes.txt")" = 10 ]
  expect "nothing else lies in $1" [ "$(find "$1" -type f | wc -l)" = 5 ]
}

fake id 'echo 1000'

# A successful fetch, to the default folder and to a named one with a space; a second call does nothing.
expect_run 0 fetch_data
expect_complete "$scratch/repo/data/fashion-mnist"
folder="$scratch/my data"
expect_run 0 fetch_data "$folder"
expect_complete "$folder"
touch -d 2020-01-01 "$folder"/*
expect_run 0 fetch_data "$folder"
expect_silent
expect "good files are not written again" [ -z "$(find "$folder" -newermt 2020-01-02 -type f)" ]

# A relative folder is relative to the caller's working directory.
cd "$scratch"
expect_run 0 fetch_data here
expect_complete "$scratch/here"

# A damaged file, a truncated one and one with trailing bytes are refused and replaced; a .part file of a killed run
# does not matter.
victim=$folder/${names[2]}.gz
for damage in 'echo damaged | gzip >"$victim"' 'head -c 9000 "$source_folder/${names[2]}.gz" >"$victim"' \
  'echo tail >>"$victim"' ': >"$victim"'; do
  eval "$damage"
  echo half >"$victim.part"
  expect_run 0 fetch_data "$folder"
  expect_said "$victim"
  expect_said "expected $(sha256sum <"$scratch/${names[2]}" | cut -d' ' -f1)"
  expect_said "found"
  expect_complete "$folder"
done

# A damaged source: exit code 3, and neither the file nor a .part file remains.
cp -r "$scratch/good" "$scratch/bad"
echo other | gzip >"$scratch/bad/${names[1]}.gz"
source_folder=$scratch/bad
expect_run 3 fetch_data "$scratch/from_bad"
expect_said "$scratch/bad/${names[1]}.gz"
expect_said "found $(echo other | sha256sum | cut -d' ' -f1)"
expect_no_file "$scratch/from_bad/${names[1]}.gz"
expect_no_file "$scratch/from_bad/${names[1]}.gz.part"

# A user's file of this name is kept until a valid one can replace it.
mine=$folder/${names[1]}.gz
expect_mine() {
  expect "the user's file stays" [ "$(cat "$mine")" = "not the data set's" ]
  expect_no_file "$mine.part"
}
echo "not the data set's" >"$mine"
expect_run 3 fetch_data "$folder"
expect_mine

# Without the Debian package's folder: installs the package once, if that needs no confirmation; otherwise downloads.
sed -i "s|^package_folder=.*|package_folder='$scratch/package'|" "$scratch/repo/tools/fetch_data"
source_folder=
fake apt-get 'case "$*" in *install*dataset-fashion-mnist) cp -r "'"$scratch"'/good" "'"$scratch"'/package" ;; esac'
expect_run 5 fetch_data "$scratch/installed"
expect "no attempt without root" [ -z "$(calls | grep ^apt-get)" ]
fake id 'echo 0'
expect_run 0 fetch_data "$scratch/installed"
expect_complete "$scratch/installed"
expect "installed once" [ "$(calls | grep -c '^apt-get .*install')" = 1 ]
fake id 'echo 1000'

# Downloads: the gzip header of the site's file may differ; only the content is compared.
source_folder=$scratch/empty
fake curl 'while [ $# -gt 1 ]; do [ "$1" != --output ] || target=$2; shift; done
gzip -1 <"'"$scratch"'/$(basename "$1" .gz)" >"$target"'
isolate basename
expect_run 0 fetch_data "$scratch/downloaded"
expect_complete "$scratch/downloaded"
expect "from the data set's own site" \
  eval 'calls | grep -q "^curl .*http://fashion-mnist\.s3-website\..*/t10k-labels-idx1-ubyte\.gz$"'

# An interrupted transfer, whether curl reports it or not, and a machine without curl.
broken='while [ $# -gt 1 ]; do [ "$1" != --output ] || target=$2; shift; done
head -c 5000 "'"$scratch"'/good/${1##*/}" >"$target"'
fake curl "$broken; exit 18"
expect_run 5 fetch_data "$scratch/broken"
expect "nothing is left" [ -z "$(ls "$scratch/broken")" ]
fake curl "$broken"
expect_run 3 fetch_data "$scratch/broken"
expect "nothing is left" [ -z "$(ls "$scratch/broken")" ]
# shellcheck disable=SC2016  # expanded by the fake
fake curl 'while [ $# -gt 1 ]; do [ "$1" != --output ] || target=$2; shift; done
exec head -c 67108865 /dev/zero >"$target"'
expect_run 5 fetch_data "$scratch/broken"
expect_said "download failed"
expect "nothing is left" [ -z "$(ls "$scratch/broken")" ]
fake curl 'exit 6'
expect_run 5 fetch_data "$folder"
expect_mine
expect "a download takes half an hour at most" eval 'calls | grep -q "^curl .*--max-time 1800 "'
no_fake curl
expect_run 5 fetch_data "$scratch/broken"
expect_said "apt-get install dataset-fashion-mnist"

expect_run 5 fetch_data "$scratch/${names[0]}/below_a_file"
expect_run 2 fetch_data one two
expect_run 2 fetch_data --force

finish
