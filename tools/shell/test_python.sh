# shellcheck shell=bash
# The Python that tests use, with exactly the packages of tests/requirements.txt. Sourced, not run.

# Sets test_python without making anything. The name holds what it was made from, so that a change
# of the requirements or of the machine's Python makes another and never alters this one.
locate_test_python() {
  local key
  key=$({
    python3 -c 'import platform, sys; print(sys.version, platform.machine(), sys.base_prefix)'
    cat -- "$repository/tests/requirements.txt"
  } | sha256sum | cut -c 1-12)
  test_python_home="$cache_folder/test-python-$key"
  test_python="$test_python_home/bin/python"
}

is_test_python_present() { [[ -f $test_python_home/complete ]]; }

make_test_python() {
  is_test_python_present && return # by the set-up that we waited for
  rm -rf -- "$test_python_home"
  python3 -m venv "$test_python_home" || fail 1 "python3 -m venv could not make $test_python_home"
  "$test_python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
    --only-binary=:all: --require-hashes -r "$repository/tests/requirements.txt" ||
    fail 1 "could not install tests/requirements.txt for $(python3 --version); pip says why above." \
      "Python 3.10 to 3.14 have wheels for all of it"
  touch -- "$test_python_home/complete"
}
