#!/usr/bin/env bash
# The mock OneBot 11 server of the crate onebot-api (MIT), laid down in a folder for the tests; Deno runs it.
#
# usage: onebot_mock.sh FOLDER
#
# It is fetched by cargo, from whatever registry cargo is told to use, and not built. Its files must be those of
# onebot_mock.sha256. Nothing is fetched when FOLDER has them already.
set -euo pipefail
crate=onebot-api version=1.3.0
folder=${1:?usage: onebot_mock.sh FOLDER}
sums=$(realpath "$(dirname "$0")/onebot_mock.sha256")

check() { (cd "$1" && sha256sum --check --quiet --strict "$sums"); }

if check "$folder" 2> /dev/null; then exit 0; fi
mkdir -p "$folder"
work=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
# A package that depends on it and on nothing else: what cargo fetches for it lies unpacked in cargo's own folder.
cat > "$work/Cargo.toml" <<MANIFEST
[workspace]
[package]
name = "fetch"
version = "0.0.0"
edition = "2021"
[lib]
path = "lib.rs"
[dependencies]
$crate = { version = "=$version", default-features = false }
MANIFEST
touch "$work/lib.rs"
cd "$work"
cargo fetch --quiet --target x86_64-unknown-linux-gnu
manifest=$(cargo metadata --offline --format-version 1 --filter-platform x86_64-unknown-linux-gnu \
    | grep -o "\"manifest_path\":\"[^\"]*/$crate-$version/Cargo.toml\"" | cut -d '"' -f 4)
cp -R "$(dirname "$manifest")/mock" "$work/mock"
check "$work"
rm -rf "$folder/mock"
mv "$work/mock" "$folder/mock"
