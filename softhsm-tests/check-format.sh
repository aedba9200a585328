#!/bin/sh
# Fails on sources that clang-format 14 would change; exits 77 (skipped) where it is not installed.
command -v clang-format-14 >/dev/null || { echo "clang-format-14 is not installed: skipped"; exit 77; }
exec "$1/run" format --check
