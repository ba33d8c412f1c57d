"""What reaches the terminal: not TensorFlow's notices, but every error, also one that ends the process."""

import os
import subprocess
import sys

import pytest

ENTRY = (
    "import sys; from tf_outfit_gan.cli import main as cli; cli.VERBS['demo'] = ('verb', 'x'); "
    "sys.argv = ['outfit-gan', 'demo']; sys.exit(cli.entry())"
)


def run(folder, body, level=None):
    """Runs a verb of this body as the console command does; what came out on its error stream, and its exit code."""
    head = "import os, sys\n\nEXAMPLE = ''\n\ndef add_arguments(parser):\n    pass\n\ndef run(args):\n"
    (folder / "verb.py").write_text(head + "".join(f"    {line}\n" for line in body))
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    environment |= {"PYTHONPATH": f"{folder}:{os.getcwd()}"} | ({"TF_CPP_MIN_LOG_LEVEL": level} if level else {})
    done = subprocess.run([sys.executable, "-c", ENTRY], env=environment, text=True, capture_output=True, timeout=600)
    return done.stderr, done.returncode


def test_notices_are_dropped_and_messages_pass(tmp_path):
    error, code = run(
        tmp_path,
        ["import tensorflow as tf", "tf.ones([2]) + 1", "os.write(2, b'native message\\n')", "print('message', file=sys.stderr)"],
    )
    assert (error, code) == ("native message\nmessage\n", 0)


def test_worker_processes_are_as_quiet(tmp_path):
    body = [
        "from tf_outfit_gan.util.process_pool import run_in_processes",
        "import worker",
        "run_in_processes(worker.work, [(), ()], 2, lambda count: None)",
    ]
    (tmp_path / "worker.py").write_text("def work(advance):\n    import tensorflow as tf\n    tf.ones([2]) + 1\n")
    assert run(tmp_path, body) == ("", 0)
    assert "absl::InitializeLog" in run(tmp_path, body, level="0")[0]


def test_decoding_photos_is_as_quiet(tmp_path):
    """oneDNN's kernels make TensorFlow write of any transpose of integers that it needs another processor, which is untrue."""
    body = [
        "import tensorflow as tf",
        "from tf_outfit_gan.images.decode_in_graph import decode_articles",
        "photo = tf.io.encode_jpeg(tf.zeros([8, 6, 3], tf.uint8)).numpy()",
        "tf.function(decode_articles)(tf.constant([[photo]]), (4, 3), ('top',))",
    ]
    assert run(tmp_path, body) == ("", 0)


def test_level_0_shows_all(tmp_path):
    assert "absl::InitializeLog" in run(tmp_path, ["import tensorflow"], level="0")[0]


@pytest.mark.parametrize("ending", ["os.abort()", "import ctypes; ctypes.string_at(0)"])
def test_a_crash_while_importing_leaves_a_trace(tmp_path, ending):
    (tmp_path / "tensorflow.py").write_text(f"import os\nos.write(2, b'lost')\n{ending}\n")
    error, code = run(tmp_path, ["import tensorflow"])
    assert code < 0 and "Fatal Python error" in error and "tensorflow.py" in error


def test_an_import_that_fails_shows_what_it_wrote(tmp_path):
    body = "import os\nos.write(2, b'I0000 noise\\nlibcudart is missing\\n')\nraise ImportError('no')\n"
    (tmp_path / "tensorflow.py").write_text(body)
    error, code = run(tmp_path, ["import tensorflow"])
    assert code == 1 and "libcudart is missing\n" in error and "noise" not in error
    assert error.endswith("outfit-gan demo: error: ImportError: no\n")
