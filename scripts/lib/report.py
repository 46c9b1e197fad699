"""Prints what a test run did, and where its time went.

Reads the folder that scripts/test has filled: `phases` (one line `<what> TAB <seconds>` each), `junit-*.xml` from nextest or
`output-*` from cargo test, `ignored` (cargo test's list of ignored tests) and `unmet` (the needs that the machine does not
meet; the names of ignored tests say what they need).
"""

import re
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

SLOWEST = 15

# What to do to run the tests `needs_<need>_…`.
REMEDIES = {
    "micromamba": "set MICROMAMBA to the path of a micromamba",
    "apk": "set APK to the path of a static apk, version 3",
    "buildkitd": "set BUILDKITD to the path of a buildkitd",
    "chromium": "run make test-platforms, or set CHROMEDRIVER to the path of a chromedriver",
    "compose": "run make test-platforms, or set COMPOSE to the path of a docker-compose",
    "apptainer": "run make test-platforms, or set APPTAINER to the path of an apptainer that runs as the user AS_USER",
    "devcontainers": "run make test-platforms, or set DEVCONTAINER to the path of the Dev Containers CLI",
    "crosscompiled": "run scripts/arm64",
    "python36": "install python 3.6, for example with pyenv, or set PYTHON36 to the path of one",
    "bullseye": "set CONDAFRONT_DEBIAN_MIRROR to a mirror that has Debian 11",
    "rootless": "use a machine with user namespaces and /dev/net/tun, and a folder of the engines that every user can enter",
    "emulation": "use a kernel with binfmt_misc and without an arm64 emulator",
}


def of_nextest(path):
    """The tests in a JUnit file: (binary, name, seconds, whether it passed)."""
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            failed = case.find("failure") is not None or case.find("error") is not None
            yield suite.get("name"), case.get("name"), float(case.get("time")), not failed


def of_cargo_test(path):
    """(passed, failed, a list of (binary, seconds)) from the output of `cargo test`."""
    passed = failed = 0
    binaries = []
    binary = "?"
    for line in path.read_text(errors="replace").splitlines():
        if found := re.match(r"\s+(?:Running|Doc-tests) (.+?)(?: \(.*)?$", line):
            binary = found[1]
        elif found := re.match(r"test result: .* (\d+) passed; (\d+) failed; .*finished in ([\d.]+)s", line):
            passed += int(found[1])
            failed += int(found[2])
            binaries.append((binary, float(found[3])))
    return passed, failed, binaries


def skipped_tests(folder):
    """How many tests were skipped, by what they need."""
    path = folder / "unmet"
    unmet = set(path.read_text().split()) if path.exists() else set()
    names = set(re.findall(r"^(.+): test$", (folder / "ignored").read_text(), re.M))
    needs = Counter()
    for name in names:
        found = re.match(r"needs_([a-z0-9]+)_", name.rsplit("::", 1)[-1])
        if not found or found[1] not in REMEDIES:
            sys.exit(f"report: the name of the ignored test {name} does not say what it needs: it must start with needs_<{'|'.join(REMEDIES)}>_")
        if found[1] in unmet:
            needs[found[1]] += 1
    return needs


def table(title, rows):
    """Prints rows of seconds and text."""
    print(f"\n{title}")
    for seconds, text in rows:
        print(f"{seconds:8.1f} s  {text}")


def main():
    folder = Path(sys.argv[1])
    phases = [line.split("\t") for line in (folder / "phases").read_text().splitlines()]
    table("Where the time went:", [(float(seconds), what) for what, seconds in phases])

    tests = [test for path in sorted(folder.glob("junit-*.xml")) for test in of_nextest(path)]
    passed = sum(test[3] for test in tests)
    failed = len(tests) - passed
    if tests:
        binaries = Counter()
        for binary, _, seconds, _ in tests:
            binaries[binary] += seconds
        count = Counter(test[0] for test in tests)
        rows = [(seconds, f"{binary} ({count[binary]})") for binary, seconds in binaries.most_common()]
        table("Total seconds of the tests in each binary (several run at a time):", rows)
        slowest = sorted(tests, key=lambda test: -test[2])[:SLOWEST]
        table(f"The {len(slowest)} slowest tests:", [(test[2], f"{test[0]} {test[1]}") for test in slowest])
    outputs = [of_cargo_test(path) for path in sorted(folder.glob("output-*"))]
    if not tests:
        rows = sorted(((seconds, name) for _, _, binaries in outputs for name, seconds in binaries), reverse=True)
        table("Seconds of each binary (install cargo-nextest for those of each test):", rows)
    passed += sum(output[0] for output in outputs)
    failed += sum(output[1] for output in outputs)

    needs = skipped_tests(folder)
    if needs:
        print("\nSkipped:")
        for need, number in sorted(needs.items()):
            print(f"{number:8}    needs_{need}_…: {REMEDIES[need]}")
    print(f"\n{passed} passed, {failed} failed, {sum(needs.values())} skipped")


main()
