"""A program that answers each line of JSON on its standard input with a line of JSON. Used by `conv_steps`."""

import json
import queue
import subprocess
import tempfile
import threading

import runs


class Worker:
    """A process in its own process group, which is started by the constructor. `hello` is its first line.

    After an error of a request the process is killed, because a CUDA error makes its context unusable.
    """

    def __init__(self, command, timeout):
        self.command = command
        self.errors = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                env=runs.child_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise runs.RunError(f"cannot start {command[0]}: {error.strerror}") from error
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.hello = self._answer(timeout)

    def ask(self, request, timeout):
        """The answer to a request, which must come within `timeout` seconds. Errors: RunError."""
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            pass  # the process has ended, which _answer reports
        return self._answer(timeout)

    def close(self):
        runs.kill_group(self.process)
        self.process.wait()
        self.errors.close()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _answer(self, timeout):
        try:
            while (line := self.lines.get(timeout=timeout)) is not None:
                if line.startswith(b"{"):  # libraries may print other lines
                    answer = json.loads(line)
                    break
            else:
                raise runs.RunError(self._ending())
        except queue.Empty:
            self.close()
            raise runs.RunError(f"timed out after {timeout:g} s") from None
        except ValueError as error:
            self.close()
            raise runs.RunError(f"{self.command[1]} printed a line that is not JSON: {line[:80]!r}") from error
        except BaseException:
            self.close()
            raise
        if "error" in answer:
            self.close()
            raise runs.RunError(answer["error"])
        return answer

    def _ending(self):
        """How the process ended, with the last line of its standard error."""
        code = self.process.wait()
        self.errors.seek(0)
        tail = self.errors.read().decode(errors="replace").splitlines()[-1:]
        return ": ".join([runs.exit_text(code), *tail])
