#!/usr/bin/env python3
"""Run kfc and a kustomize in turn on the same trees; print the ratios of wall time and of peak memory.

  compare.py [--kfc PATH] [--peer 'kubectl kustomize'] [--rounds N] ROOT...

Each round runs every program once on every root, one after the other, so that a noisy machine is noisy for all. The
figure of a program is its fastest round. The outputs are compared first: a fast wrong answer counts for nothing. With
--bound PROGRAM the time of kfc is also set against the least that is possible: one parse of all inputs plus one emit of
the output, as `cargo bench --bench bound` measures it.
Needs Python 3.9 and nothing else.
"""
import argparse, os, shlex, shutil, subprocess, sys, tempfile, time

FLAGS = ["--load-restrictor", "LoadRestrictionsNone"]


def once(argv):
    """Wall seconds, peak memory in MiB and the output of one run."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(argv, stdout=out, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return seconds, usage.ru_maxrss / 1024, process.returncode, out.read()


def measure(programs, root, rounds):
    best = {}
    outputs = {}
    for _ in range(rounds):
        for name, command in programs.items():
            seconds, memory, code, output = once(command + [root] + FLAGS)
            if code != 0:
                return None, f"{name} fails with exit code {code}"
            outputs[name] = output
            old = best.get(name, (seconds, memory))
            best[name] = (min(seconds, old[0]), min(memory, old[1]))
    if len(set(outputs.values())) > 1:
        return None, "the outputs differ"
    return best, ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--kfc", default=os.path.join(here, "../../target/release/kfc"))
    parser.add_argument("--peer", default="kubectl kustomize" if shutil.which("kubectl") else "kustomize build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("roots", nargs="+", metavar="ROOT")
    args = parser.parse_args()
    programs = {"kfc": [os.path.realpath(args.kfc), "build"], "peer": shlex.split(args.peer)}
    print(f"{'kfc':>9} {'peer':>9} {'time':>7} {'kfc':>8} {'peer':>8} {'memory':>7}  root")
    failed = False
    for root in args.roots:
        best, problem = measure(programs, root, args.rounds)
        if best is None:
            failed = True
            print(f"{problem}: {root}")
            continue
        (kfc_s, kfc_m), (peer_s, peer_m) = best["kfc"], best["peer"]
        print(
            f"{kfc_s * 1000:7.1f}ms {peer_s * 1000:7.1f}ms {peer_s / kfc_s:6.1f}x "
            f"{kfc_m:5.1f}MiB {peer_m:5.1f}MiB {peer_m / kfc_m:6.1f}x  {root}"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
