"""Scripts that stand in for those of peers, by what they do."""

from benchmarks import peers

# What a script of benchmarks/peer_workers would say in place of these lines is below.
STAND_IN = f"""
import os, sys
sys.path.insert(0, {str(peers.WORKERS)!r})
import numpy as np
import protocol

def fit(train, job):
    {{body}}

told = " ".join(f"{{{{name}}}}={{{{os.environ.get(name)}}}}" for name in {{names}})
protocol.work(fit, "stand-in " + told)
"""
BODIES = {
    "copier": "return lambda n: train.head(n)",
    "failing": "print('stdout is no error'); raise ValueError(f'no luck with seed {job[\"seed\"]}')",
    "short": "return lambda n: train.head(n - 1)",
    "inventing": "return lambda n: train.assign(Diagnosis='unsure')",
    "forgetful": "return lambda n: train.assign(**{'mean radius': np.nan})",
    "wordy": "return lambda n: train.assign(**{'class': train['class'].astype(str)})",
    "hungry": "globals()['kept'] = np.ones(2**20 * 300 // 8); return lambda n: train",
    "own-columns": "return lambda n: train[job['continuous']]",
    "killed": "os.kill(os.getpid(), 9)",
}


def write(name, folder):
    """Write the script of a stand-in; return it as a peer of this process's environment."""
    script = folder / f"{name}.py"
    script.write_text(STAND_IN.format(body=BODIES[name], names=(*peers._THREADS, "PYTHONPATH")))
    return peers.Peer(str(script), None)
