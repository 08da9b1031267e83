#!/usr/bin/env python3
"""Random instructions on Endicott and on QEMU: `fuzz.py run`, `replay`, `show`; see docs/fuzzing.md.

`run` makes images from seeds, runs them on both in batches, reduces each kind of difference that no waiver covers
to a case in the folder given with --save, and ends with status 1 when there was any."""
import argparse
import collections
import copy
import glob
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import compare
import generate
import image as images_of
import machines

CASES = os.path.join(images_of.HERE, "cases")
SHARED = {}
RUNS_LOOKED_AT = 40
TIMES = {"jit": 40}                     # runs of a step after which an engine has translated it, and some more


def lacking(batches):
    """Mnemonics that are an operation exception on QEMU and none here: new rows that it does not have."""
    generator = generate.Generator()
    probes = [generator.probe(row) for row in generator.rows]
    ours, theirs = compare.run_some(batches, probes)

    def refused(image, result):
        step, state = image.steps[0], result.states[0]
        return state.pgm == 1 and state.addr == step.addr + len(step.code)

    return [i.steps[0].note for i, a, b in zip(probes, ours, theirs)
            if a and b and refused(i, b) and not refused(i, a)]


def tools(only=(), missing=None):
    """What a worker process needs, made once in each."""
    if "batches" not in SHARED:
        SHARED["batches"] = images_of.Batches()
        same = "qemu" not in machines.PAIR
        SHARED["missing"] = [] if same else lacking(SHARED["batches"]) if missing is None else missing
        SHARED["waivers"] = [] if same else compare.read_waivers()
        names = {name for w in SHARED["waivers"] for name in w.names}
        SHARED["generator"] = generate.Generator(only, SHARED["missing"], same, SHARED.get("times", 1), names,
                                                 SHARED.get("translated", False))
    return SHARED["batches"], SHARED["generator"], SHARED["waivers"]


class Tally:
    """What a batch, or all of them, came to."""

    def __init__(self):
        self.images = self.clean = self.steps = self.stopped = 0
        self.rows, self.waived, self.kinds = (collections.Counter() for _ in range(3))
        self.found = {}

    def add(self, other):
        for name in ("images", "clean", "steps", "stopped"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("rows", "waived", "kinds"):
            getattr(self, name).update(getattr(other, name))
        for kind, value in other.found.items():
            self.found.setdefault(kind, value)


def waiver_of(waivers, diff):
    return next((w for w in waivers if w.covers(diff)), None)


def examine(batches, waivers, images):
    """As compare.examine; but what no waiver covers may come from a place that an image before it has left different, which
    running it alone shows, or from storage that an earlier step has left different: then that step is the difference."""
    found = compare.examine(batches, images)
    for n, image in enumerate(images):
        if len(images) > 1 and found[n] and found[n] is not compare.STOPPED and not waiver_of(waivers, found[n][0]):
            found[n] = compare.examine(batches, [image])[0]
    doubtful = [n for n, f in enumerate(found) if f and f is not compare.STOPPED and f[0].index
                and not f[0].storage and not waiver_of(waivers, f[0])]
    parts = [images[n].with_steps(range(found[n][0].index + 1)) for n in doubtful]
    for n, earlier in zip(doubtful, compare.examine_storage(batches, parts)):
        if earlier is not compare.STOPPED and earlier[0].index < found[n][0].index:
            found[n] = earlier
    for f in found:
        if f and f is not compare.STOPPED:
            f[:] = [diff if diff.storage or waiver_of(waivers, diff) else earlier_run(batches, diff) for diff in f]
    return found


def earlier_run(batches, diff):
    """Only the last of the runs of a step leaves registers to look at, and storage that a run before it has left
    different may be why they differ: the first run that differs is the difference."""
    for times in range(1, min(diff.step.times, RUNS_LOOKED_AT)):
        image = diff.image.with_steps(range(diff.index + 1), 0, (diff.index,))
        image.steps[-1] = copy.copy(diff.step)
        image.steps[-1].times = times
        again = compare.examine(batches, [image])[0]
        if again and again is not compare.STOPPED and again[-1].index == diff.index \
                and again[-1].fields != [compare.STORAGE_ONLY]:
            again[-1].image, again[-1].step = diff.image, diff.step
            return again[-1]
    return diff


def settle(batches, waivers, images, tally):
    """Takes differing steps out of their images until the rest agrees; counts and keeps what they were."""
    waiting = images
    unclean = set()
    while waiting:
        rest = []
        for image, found in zip(waiting, examine(batches, waivers, waiting)):
            if found is compare.STOPPED:
                tally.stopped += 1
                unclean.add(image.ident)
                tally.found.setdefault("stopped or differs only by itself", (image, 0, ["no step found"]))
            elif found:
                out = settle_one(waivers, image, found, tally, unclean)
                left = [n for n in range(len(image.steps)) if n not in out]
                if left:
                    rest.append(image.with_steps(left))
        waiting = rest
    return unclean


def settle_one(waivers, image, found, tally, unclean):
    """Judges the differences of an image; which steps to take out. One that is not the first and that no waiver
    covers may come from storage that an earlier one has left different: it stays in, for the next turn."""
    out = set()
    for diff in found:
        waiver = waiver_of(waivers, diff)
        if waiver:
            tally.waived[waiver.paragraph] += 1
        elif out:
            continue
        else:
            unclean.add(image.ident)
            tally.kinds[diff.kind()] += 1
            tally.found.setdefault(diff.kind(), (image, diff.index, diff.text()))
        out.add(diff.index)
    return out


def one_batch(job):
    seeds, steps, only, missing = job
    batches, generator, waivers = tools(only, missing)
    tally = Tally()
    images = [generator.image(seed, steps) for seed in seeds]
    tally.images = len(images)
    for image in images:
        tally.steps += len(image.steps)
        for step in image.steps:
            tally.rows.update(step.note.split("+"))
    unclean = settle(batches, waivers, images, tally)
    tally.clean = tally.images - len(unclean)
    return tally


def save(folder, kind, image, lines, seed):
    os.makedirs(folder, exist_ok=True)
    name = "".join(c if c.isalnum() else "_" for c in kind)[:60].strip("_")
    path = os.path.join(folder, name + ".case")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"# {kind} (seed {seed})\n")
        file.writelines(f"# {line}\n" for line in lines)
        file.write(image.text())
    return path


def report(tally, generator, seconds, verbose):
    rate = tally.images / max(seconds, 0.001)
    print(f"{tally.images} images, {tally.steps} steps on both in {seconds:.1f} s: {rate:.0f} images/s, "
          f"{tally.clean} clean, {tally.stopped} stopped")
    never = sorted(r.mn for r in generator.rows if not tally.rows[r.mn])
    counts = sorted(tally.rows[r.mn] for r in generator.rows)
    print(f"rows: {len(generator.all_rows)} in the tables, {len(generator.excluded)} excluded by name, "
          f"{len(generator.rows) - len(never)} of {len(generator.rows)} executed, each {counts[0]} to {counts[-1]} times"
          + (f"; never: {' '.join(never)}" if never else ""))
    if verbose:
        for row in sorted(generator.rows, key=lambda r: (tally.rows[r.mn], r.mn)):
            print(f"  {tally.rows[row.mn]:7} {row.mn}")
    for paragraph, count in tally.waived.most_common():
        print(f"waived {count}: {paragraph}")
    for kind, count in tally.kinds.most_common():
        print(f"DIFFERENT {count}: {kind}")


def choose_pair(options):
    if options.engine and options.qemu:
        machines.PAIR[0] = options.engine
    elif options.engine:
        machines.PAIR[:] = ["interp", options.engine]


def command_run(options):
    only = tuple(options.only.split(",")) if options.only else ()
    choose_pair(options)
    SHARED["times"] = options.repeat or (TIMES.get(options.engine, 4) if options.qemu else 50 if options.engine else 1)
    SHARED["translated"] = options.qemu
    batches, generator, _ = tools(only)
    if options.seed is None:
        options.seed = int(time.time())
    print(f"seeds {options.seed} to {options.seed + options.images - 1}, {options.steps} steps each", flush=True)
    if SHARED["missing"]:
        print("left out, QEMU does not have: " + " ".join(SHARED["missing"]), flush=True)
    seeds = range(options.seed, options.seed + options.images)
    jobs = [(list(seeds[i:i + options.batch]), options.steps, only, SHARED["missing"])
            for i in range(0, len(seeds), options.batch)]
    tally, begin = Tally(), time.monotonic()
    with ProcessPoolExecutor(options.jobs) as pool:
        for part in pool.map(one_batch, jobs):
            tally.add(part)
            for kind, (image, _, lines) in part.found.items() if options.progress else ():
                print("\n    ".join([f"{kind} (seed {image.ident})"] + lines), flush=True)
            if options.progress:
                print(f"  to seed {options.seed + tally.images - 1}: {tally.clean} clean", flush=True)
    report(tally, generator, time.monotonic() - begin, options.verbose)
    for kind, (image, index, lines) in sorted(tally.found.items()):
        print(f"--- {kind} (seed {image.ident})", flush=True)
        if options.save:
            if kind in tally.kinds:
                image = compare.minimise(batches, image, index, kind)
            print("saved " + save(options.save, kind, image, lines, image.ident))
        print("\n".join("    " + line for line in lines))
    return 1 if tally.found else 0


def command_replay(options):
    """Cases on both; each must agree, or be covered by a waiver."""
    paths = options.cases or sorted(glob.glob(os.path.join(CASES, "*.case")))
    choose_pair(options)
    batches, _, waivers = tools()
    images = []
    for number, path in enumerate(paths):
        with open(path, encoding="utf-8") as file:
            images.append(images_of.parse(file.read(), number))
            images[-1].flags = images_of.FLAG_ALL if options.engine and not options.qemu else 0
    bad = 0
    for image, found in zip(images, compare.examine(batches, images)):
        if found is None:
            continue
        diff = found if found is compare.STOPPED else found[0]
        waiver = diff is not compare.STOPPED and waiver_of(waivers, diff)
        if waiver:
            print(f"waived: {paths[image.ident]}: {waiver.paragraph}")
            continue
        bad += 1
        print(f"DIFFERENT: {paths[image.ident]}")
        print("\n".join("    " + line for line in (["a machine stopped"] if diff is compare.STOPPED else diff.text())))
    print(f"{len(images)} cases, {bad} different")
    return 1 if bad else 0


def command_show(options):
    """An image of a seed as text, or a case with what both machines make of its last step."""
    batches, generator, _ = tools()
    if options.what.isdigit():
        print(generator.image(int(options.what), options.steps).text(), end="")
        return 0
    with open(options.what, encoding="utf-8") as file:
        image = images_of.parse(file.read())
    print(image.text(), end="")
    image.shown = (len(image.steps) - 1,)
    for name, result in zip(machines.PAIR, machines.run(batches, [image])):
        fields = result[0].states[-1].fields()
        print(name, " ".join(f"{k}={v:x}" if isinstance(v, int) else f"{k}={v}"
                             for k, v in fields.items() if v and not k.startswith("cr")))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    sub = parser.add_subparsers(required=True)
    run = sub.add_parser("run")
    run.add_argument("--seed", type=int, help="the first seed (the time of day)")
    run.add_argument("--images", type=int, default=10000)
    run.add_argument("--steps", type=int, default=64, help="instructions per image")
    run.add_argument("--batch", type=int, default=1000, help="images per start of the machines")
    run.add_argument("--jobs", type=int, default=os.cpu_count())
    run.add_argument("--only", help="mnemonics, separated by commas")
    run.add_argument("--engine", help="compare this engine of Endicott with its interpreter, not with QEMU")
    run.add_argument("--qemu", action="store_true", help="compare that engine with QEMU: each step is run until it is translated")
    run.add_argument("--repeat", type=int, help="times that blocks are run (50 with --engine, else once)")
    run.add_argument("--save", help="folder for reduced cases")
    run.add_argument("--verbose", action="store_true", help="counts per row")
    run.add_argument("--progress", action="store_true")
    run.set_defaults(call=command_run)
    replay = sub.add_parser("replay")
    replay.add_argument("cases", nargs="*")
    replay.add_argument("--engine", help="as of run")
    replay.add_argument("--qemu", action="store_true", help="as of run")
    replay.set_defaults(call=command_replay)
    show = sub.add_parser("show")
    show.add_argument("what", help="a seed or a case file")
    show.add_argument("--steps", type=int, default=64)
    show.set_defaults(call=command_show)
    options = parser.parse_args()
    return options.call(options)


if __name__ == "__main__":
    sys.exit(main())
