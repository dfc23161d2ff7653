#!/usr/bin/env python3
"""Tests of `scaling`, its model and ddp_peer.py. warpfit, mpirun and PyTorch are replaced by fakes; takes seconds.

    python3 tools/bench/scaling_test.py

If .venv or this Python has PyTorch, ddp_peer.py trains a small network as well.
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
import contenders  # noqa: E402
import flops  # noqa: E402
import scaling_model as model  # noqa: E402
from compare_stand_ins import TOOLS, StandIns, write_idx, write_script  # noqa: E402

SLOW = model.Link("slow", 1e9, 1e-3)
TUTORIAL, WIDE = [784, 512, 512, 10], [784, 4096, 4096, 10]


class ModelTest(unittest.TestCase):
    def test_a_ring_moves_nearly_twice_the_bytes(self):
        self.assertEqual(SLOW.sum_seconds(10**9, 1), 0)
        self.assertAlmostEqual(SLOW.sum_seconds(10**9, 2), 1 + 2e-3)
        self.assertAlmostEqual(SLOW.sum_seconds(10**9, 4), 1.5 + 6e-3)

    def test_a_fitted_link_gives_its_measurements(self):
        for ranks in (2, 4):
            times = [(size, SLOW.sum_seconds(size, ranks)) for size in (4, 1 << 24)]
            link = model.fitted_link("fitted", ranks, *times)
            self.assertAlmostEqual(link.bandwidth / 1e9, 1)
            self.assertAlmostEqual(link.latency, 1e-3)

    def test_buckets_are_of_whole_layers_from_the_last_to_the_first(self):
        self.assertEqual(model.buckets(TUTORIAL), [(0, 4 * 669706)])
        middle, last, first = 4 * 4097 * 4096, 4 * 4097 * 10, 4 * 785 * 4096
        self.assertEqual(model.buckets(WIDE), [(1, last + middle), (0, first)])
        for widths in (TUTORIAL, WIDE, [3, 2], [2048] * 5):
            self.assertEqual(sum(size for _, size in model.buckets(widths)), sum(model.layer_bytes(widths)))

    def test_a_bucket_of_exactly_4_mib_is_complete(self):
        self.assertEqual(model.buckets([2, 1023, 1024]), [(1, 4 << 20), (0, 12 * 1023)])

    def test_operations_of_the_passes_are_those_of_a_step(self):
        for widths in (TUTORIAL, WIDE, [3, 2]):
            self.assertEqual(flops.forward(widths) + sum(model.backward_flops(widths)), flops.train_step(widths))

    def test_one_bucket_is_not_hidden(self):
        self.assertEqual(model.step_seconds(TUTORIAL, 0.5, 1, SLOW), 0.5)
        self.assertAlmostEqual(model.step_seconds(TUTORIAL, 0.5, 2, SLOW), 0.5 + SLOW.sum_seconds(4 * 669706, 2))

    def test_the_backward_pass_hides_all_sums_but_the_last(self):
        (_, large), (_, small) = model.buckets(WIDE)
        first_layer = model.backward_flops(WIDE)[0] / flops.train_step(WIDE)
        # The sum of the large bucket is shorter than the backward pass of the first layer.
        self.assertAlmostEqual(model.step_seconds(WIDE, 10, 2, SLOW), 10 + SLOW.sum_seconds(small, 2))
        # It is longer: the second sum waits for the link.
        sums = SLOW.sum_seconds(large, 2) + SLOW.sum_seconds(small, 2)
        self.assertAlmostEqual(model.step_seconds(WIDE, 0.01, 2, SLOW), 0.01 * (1 - first_layer) + sums)

    def test_gpus(self):
        free = model.Link("free", 1e30, 0)
        gpus = model.Gpus(1e12, 0, free, SLOW, per_node=8)
        self.assertAlmostEqual(gpus.strong(TUTORIAL, 64, 8)[1], 1)
        self.assertAlmostEqual(gpus.weak(TUTORIAL, 64, 8)[1], 1)
        self.assertLess(gpus.weak(TUTORIAL, 64, 16)[1], 0.1, "more than a node use the slow link")
        self.assertAlmostEqual(gpus.strong(TUTORIAL, 12, 8)[1], 12 / 16, msg="the slowest rank has two rows")
        self.assertEqual(gpus.smallest_batch(TUTORIAL, 8, 0.8), 8)
        self.assertIsNone(gpus.smallest_batch(TUTORIAL, 16, 0.8, limit=1024))
        slow = model.Gpus(1e12, 0, SLOW, SLOW)
        batch = slow.smallest_batch(TUTORIAL, 8, 0.8)
        self.assertGreaterEqual(slow.strong(TUTORIAL, batch, 8)[1], 0.8)
        self.assertLess(slow.strong(TUTORIAL, batch // 2, 8)[1], 0.8)


# Prints epochs of 0.4 s with one process, 0.2 s with two; alone (--update separate) 0.8 s. The first epoch takes longer.
OURS = """echo "${RANKS:-1} $*" >>'CALLS'
time=0.400; [ "${RANKS:-1}" = 1 ] || time=0.200
case "$*" in --version) echo warpfit 1; exit ;; *separate*) time=0.800 ;; esac
loss=2.300000; case "${RANKS:-1} $*" in CASES esac
for epoch in 1 2 3; do
  echo "Epoch $epoch"; echo "loss: $loss  [    0/ 2048]"; echo "loss: 9.000000  [ 1024/ 2048]"
  first=0; [ $epoch != 1 ] || first=9
  echo "[info] epoch $epoch: train $first$time s, test 0.100 s, 1,000 samples/s" >&2
done"""
MPIRUN = """while [ "${1#*warpfit}" = "$1" ]; do [ "$1" != -n ] || RANKS=$2; shift; done; export RANKS; exec "$@\""""
TORCH = """echo "$*" >>'CALLS'; time=0.6; case "$*" in *"--processes 2"*) time=0.5 ;; esac; echo '{"torch": "0"}'
for epoch in 1 2 3; do echo "{\\"epoch\\": $epoch, \\"train_s\\": $time, \\"loss\\": 2.30001}"; done"""


class ScalingTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        write_idx(self.folder, "train", 2048)
        self.fakes()

    def fakes(self, cases="", torch=TORCH):
        write_script(self.folder / "warpfit",
                     OURS.replace("CALLS", f"{self.folder}/calls").replace("CASES", cases or "none) ;;"))
        write_script(self.folder / "mpirun", MPIRUN)
        write_script(self.folder / "python", torch.replace("CALLS", f"{self.folder}/torch_calls"))

    def command(self, *more):
        flags = ["--warpfit", self.folder / "warpfit", "--mpirun", f"{self.folder}/mpirun --bind-to none", "--torch-python",
                 self.folder / "python", "--data", self.folder, "--threads", "2", "--rounds", "2", "--json",
                 self.folder / "out.json"]
        return [str(text) for text in (sys.executable, TOOLS / "scaling", *flags, *more)]

    def scaling(self, *more):
        return subprocess.run(self.command(*more), capture_output=True, text=True, cwd=self.folder)

    def start(self):
        return subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)

    def result(self):
        return json.loads((self.folder / "out.json").read_text())

    def test_a_comparison(self):
        done = self.scaling("--peer")
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in ("| warpfit, 1 process x 2 threads | 0.400 s | 0.400 - 0.400 | 5120 | 1.00 |",
                     "| warpfit, 2 processes x 1 thread | 0.200 s | 0.200 - 0.200 | 10240 | 2.00 |",
                     "| warpfit, 4 processes x 1 thread, oversubscribed | 0.200 s |",
                     "| PyTorch, 1 process x 2 threads | 0.600 s | 0.600 - 0.600 | 3413 | 1.00 |",
                     "| PyTorch DDP, gloo, 2 processes x 1 thread | 0.500 s | 0.500 - 0.500 | 4096 | 1.20 |",
                     "warpfit is 1.50 times as fast as PyTorch with 1 process\n",
                     "warpfit is 2.50 times as fast as PyTorch with 2 processes\n",
                     "losses: all contenders agree", "PREDICTED, NOT MEASURED", "predicted)"):
            self.assertIn(line, done.stdout)
        calls = (self.folder / "calls").read_text().splitlines()
        whole = [call for call in calls if "--update" not in call and "train" in call]
        self.assertEqual([call.split()[0] for call in whole], ["1", "2", "4"] * 2)
        self.assertTrue(all("--batch-size 1024" in call for call in whole))
        alone = [call.split("--batch-size ")[1].split()[0] for call in calls if "--update separate" in call]
        self.assertEqual(alone, ["1024", "512", "256"] * 2)
        torch_calls = (self.folder / "torch_calls").read_text().splitlines()
        self.assertEqual([call.split("--processes ")[1][:13] for call in torch_calls],
                         ["1 --threads 2", "2 --threads 1"] * 2)
        result = self.result()
        self.assertEqual([len(row["epochs_s"]) for row in result["rows"]], [4] * 8)
        self.assertEqual(result["ratios"], {"1": 0.6 / 0.4, "2": 2.5})
        self.assertEqual([step["processes"] for step in result["steps"]], [1, 2, 4])
        self.assertAlmostEqual(result["steps"][0]["predicted_s"], 0.4)
        self.assertAlmostEqual(result["steps"][1]["alone_s"], 0.2)

    def test_processes_that_share_a_core_compute_in_turn(self):
        self.assertEqual(self.scaling("--link-bandwidth", "1e9", "--link-latency", "0").returncode, 0)
        self.assertAlmostEqual(self.result()["steps"][1]["predicted_s"], 0.2)
        self.assertAlmostEqual(self.result()["steps"][2]["predicted_s"], 2 * 0.1)

    def test_a_contender_that_fails_and_losses_that_differ(self):
        self.fakes("4*) echo no memory >&2; exit 7 ;; 2*) loss=2.400000 ;;")
        done = self.scaling()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("oversubscribed | FAILED | - |", done.stdout)
        self.assertIn("ended with status 7: no memory", done.stdout)
        self.assertIn("LOSSES DIFFER: warpfit, 2 processes x 1 thread: loss 2.400000 of epoch 1, but", done.stdout)
        self.assertEqual([step["processes"] for step in self.result()["steps"]], [1, 2])
        self.fakes(torch="echo '{}'; echo '{\"epoch\": 1}'")
        done = self.scaling("--peer")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("ddp_peer.py printed something else", done.stdout)

    def test_predictions_alone_run_nothing(self):
        done = self.scaling("--predict", "--warpfit", "/nonexistent")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([curve["rows"][-1]["gpus"] for curve in self.result()["curves"]], [64, 64])
        self.assertNotIn("samples/s", done.stdout)

    def test_a_stopped_comparison_ends_its_contender(self):
        write_script(self.folder / "warpfit", f"case $1 in --version) exit ;; esac; echo $$ >'{self.folder}/id'; sleep 100")
        process = self.start()
        while not (self.folder / "id").exists() or not (self.folder / "id").read_text():
            time.sleep(0.05)
        process.terminate()
        self.assertEqual(process.wait(10), 128 + signal.SIGTERM)
        StandIns.assert_ended(self, self.folder / "id")

    def test_usage(self):
        for more in (["--processes", "2,4"], ["--batch-size", "1023"], ["--epochs", "1"], ["--network", "784"]):
            self.assertEqual(self.scaling(*more).returncode, 2, more)


def has_torch():
    probe = subprocess.run([contenders.default_python(), "-c", "import torch.distributed"], capture_output=True)
    return probe.returncode == 0


class DdpPeerTest(unittest.TestCase):
    def setUp(self):
        if not has_torch():
            self.skipTest(f"{contenders.default_python()} has no PyTorch")
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        maker = [contenders.REPOSITORY / "tools/make_idx", "random", self.folder / "data", "--train", "50", "--test", "10"]
        subprocess.run(maker, check=True, capture_output=True)

    def peer(self, *more):
        command = [contenders.default_python(), TOOLS / "ddp_peer.py", "--data", self.folder / "data", "--network",
                   "784-16-10", "--batch-size", "20", "--epochs", "3", *more]
        return subprocess.run([str(text) for text in command], capture_output=True, text=True, cwd=self.folder)

    def test_two_processes_train_as_one(self):
        runs = [self.peer("--processes", count) for count in ("1", "2")]
        for done in runs:
            self.assertEqual(done.returncode, 0, done.stderr)
        one, two = ([json.loads(line) for line in done.stdout.splitlines()] for done in runs)
        self.assertEqual([one[0]["processes"], two[0]["processes"]], [1, 2])
        self.assertEqual([line["epoch"] for line in two[1:]], [1, 2, 3])
        for mine, theirs in zip(one[1:], two[1:], strict=True):
            self.assertAlmostEqual(mine["loss"], theirs["loss"], places=5)
        self.assertLess(one[-1]["loss"], one[1]["loss"])

    def test_batches_that_cannot_be_divided(self):
        done = self.peer("--processes", "4")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("a batch of 10 rows cannot be divided evenly among 4 processes", done.stderr)


if __name__ == "__main__":
    unittest.main()
