"""A tree of processes, each of which works in a function of its own.

tree.py prefork N SECONDS     forks N workers; then worker I spends SECONDS in `worker_I`, mostly asleep
tree.py pool METHOD SECONDS   a multiprocessing pool of two by METHOD, which spins in `pool_task`
tree.py split A B             forks a child that spins for A seconds in `child_a`, and one for B in `child_b`
tree.py run COMMAND...        spins in `before_run`, runs COMMAND, ends with its status
tree.py exec COMMAND...       spins in `before_exec`, then executes COMMAND
tree.py orphan STATUS SECONDS starts a child, which starts `orphan_leaf`; both leave that alone, and it spins for SECONDS
tree.py secret SECONDS        forks a child that spins in `open_work`, and one in `secret_work` that may not be read
tree.py brief N SECONDS       runs N children one after the other, each of which spins for SECONDS in `brief`
"""

import ctypes
import json
import multiprocessing
import os
import subprocess
import sys
import time


def spin_for(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def define(name, body):
    """A function called `name` that calls `body`."""
    namespace = {"body": body}
    exec(f"def {name}(*arguments):\n    body(*arguments)", namespace)
    return namespace[name]


def fork(work, *arguments):
    pid = os.fork()
    if pid == 0:
        work(*arguments)
        os._exit(0)
    return pid


def nap_for(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        spin_for(0.001)
        time.sleep(0.02)


def work_from_start(gate, other_end, work, seconds):
    os.close(other_end)
    os.read(gate, 1)
    work(seconds)


def prefork(count, seconds):
    pids = {}
    gate, other_end = os.pipe()
    for i in range(int(count)):
        work = define(f"worker_{i}", nap_for)
        pids[fork(work_from_start, gate, other_end, work, float(seconds))] = f"worker_{i}"
    os.close(other_end)  # all begin at once
    for pid in pids:
        os.waitpid(pid, 0)
    print(json.dumps(pids), flush=True)


def pool_task(seconds):
    spin_for(seconds)
    return os.getpid()


def pool(method, seconds):
    context = multiprocessing.get_context(method)
    with context.Pool(2) as workers:
        pids = workers.map(pool_task, [float(seconds)] * 2, chunksize=1)
        workers.close()
        workers.join()
    print(json.dumps(sorted(set(pids))), flush=True)


def split(a, b):
    children = [fork(define(name, spin_for), float(s)) for name, s in (("child_a", a), ("child_b", b))]
    for pid in children:
        os.waitpid(pid, 0)


def before_run():
    spin_for(0.3)


def run(*command):
    before_run()
    sys.exit(subprocess.run(command).returncode)


def before_exec():
    spin_for(0.3)


def execute(*command):
    before_exec()
    os.execvp(command[0], command)


def orphan_leaf(seconds):
    spin_for(float(seconds))


def orphan(status, seconds):
    middle = [sys.executable, __file__, "orphan-middle", seconds]
    subprocess.run(middle, check=True)
    sys.exit(int(status))


def orphan_middle(seconds):
    subprocess.Popen([sys.executable, __file__, "orphan-leaf", seconds])
    spin_for(0.1)


def open_work(seconds):
    spin_for(seconds)


def secret_work(seconds):
    spin_for(seconds)


def hide(seconds):
    PR_SET_DUMPABLE = 4
    assert ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0) == 0
    secret_work(seconds)


def secret(seconds):
    children = [fork(work, float(seconds)) for work in (open_work, hide)]
    for pid in children:
        os.waitpid(pid, 0)
    print(children[1], flush=True)


def brief(count, seconds):
    for _ in range(int(count)):
        os.waitpid(fork(define("brief", spin_for), float(seconds)), 0)


MODES = {
    "prefork": prefork,
    "pool": pool,
    "split": split,
    "run": run,
    "exec": execute,
    "orphan": orphan,
    "orphan-middle": orphan_middle,
    "orphan-leaf": orphan_leaf,
    "secret": secret,
    "brief": brief,
}

if __name__ == "__main__":
    MODES[sys.argv[1]](*sys.argv[2:])
