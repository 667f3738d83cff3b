#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers under their own load tools: alone, under Fencepost, under Valgrind; prints a table.

servers.py [SERVER...]. SERVERS_SECONDS (600) is how long each serves under Fencepost, a third of it the other two
ways. It fails on a finding, on an end that is not the server's own, and on memory that grows: resident is what all
processes of the server share out among them (Pss), after a third of the time and at the end. The records of freed
blocks get 8 MiB a process instead of 64, so that they are full by then.
"""

import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

BUILD = os.environ["FP_BUILDDIR"]
FENCEPOST = BUILD + "/src/cli/fencepost"
SECONDS = int(os.environ.get("SERVERS_SECONDS", "600"))
GROWTH_PARTS, GROWTH_MIB = 4, 8  # what may come on top: caches that still fill
START = 120  # seconds until a server answers at last


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def number(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise RuntimeError("no %r in: %s" % (pattern, text[-500:]))
    return float(found.group(1))


def milliseconds(text):
    return float(re.match(r"[\d.]+", text).group()) * {"us": 1e-3, "ms": 1, "s": 1000}[text.lstrip("0123456789.")]


class Server:
    """A server in its own directory; answers() raises until it is there, load() gives (operations/s, milliseconds)."""

    needs = ()
    stop = signal.SIGTERM
    environment = {}

    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()

    def prepare(self):
        pass

    def answers(self):
        socket.create_connection(("127.0.0.1", self.port), 1).close()

    def run(self, *command):
        return subprocess.run(command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=True).stdout


class Redis(Server):
    needs = ("redis-server", "redis-benchmark")

    def command(self):
        return ["redis-server", "--port", str(self.port), "--save", "", "--maxmemory", "32mb",
                "--maxmemory-policy", "allkeys-lru"]

    def load(self, seconds):
        end, begin, done, waits = time.time() + seconds, time.time(), 0, []
        while time.time() < end:
            rows = self.run("redis-benchmark", "-p", str(self.port), "-n", "2000", "-c", "20", "-r", "1000", "-d", "100",
                            "--csv", "-t", "set,get,incr,lpush,lpop,sadd,hset,spop,zadd,zpopmin,mset")
            for row in rows.splitlines()[1:]:
                done += 2000
                waits.append(float(row.split('","')[2]))
        return done / (time.time() - begin), sum(waits) / len(waits)


class Nginx(Server):
    needs = ("nginx", "wrk")
    stop = signal.SIGQUIT

    def prepare(self):
        os.makedirs(self.directory + "/pages")
        with open(self.directory + "/pages/page", "w") as page:
            page.write("a line of text\n" * 2000)
        places = " ".join("%s_temp_path %s/%s;" % (name, self.directory, name)
                          for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.getuid() == 0 else ""
        with open(self.directory + "/conf", "w") as conf:
            conf.write("""daemon off; worker_processes 2; pid {0}/pid; error_log {0}/errors; {1}
events {{ worker_connections 100; }}
http {{ access_log {0}/access; {2} gzip on; gzip_types *;
server {{ listen 127.0.0.1:{3}; location / {{ root {0}/pages; }} location /again/ {{ proxy_pass http://127.0.0.1:{3}/; }} }} }}
""".format(self.directory, user, places, self.port))
        with open(self.directory + "/paths.lua", "w") as script:
            script.write("""local n = 0; local paths = { "/page", "/again/page", "/none" }
request = function() n = n + 1; return wrk.format("GET", paths[n % 3 + 1], { ["Accept-Encoding"] = n % 2 == 0 and "gzip" or "" }) end
""")

    def command(self):
        return ["nginx", "-c", self.directory + "/conf", "-p", self.directory]

    def load(self, seconds):
        said = self.run("wrk", "-t1", "-c8", "-d%ds" % seconds, "-s", "paths.lua", "http://127.0.0.1:%d" % self.port)
        return number(r"Requests/sec: *([\d.]+)", said), milliseconds(re.search(r"Latency +(\S+)", said).group(1))


class Postgresql(Server):
    stop = signal.SIGINT
    user = "postgres"  # it does not run as root

    @classmethod
    def tool(cls, name):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/" + name))
        return found[-1] if found else name

    needs = ("initdb", "postgres", "pgbench")

    def as_user(self, *command):
        return ["runuser", "-u", self.user, "--", *command] if os.getuid() == 0 else list(command)

    def prepare(self):
        data = self.directory + "/data"
        if os.getuid() == 0:
            shutil.chown(self.directory, self.user)
        self.run(*self.as_user(self.tool("initdb"), "-D", data, "-U", "bench", "-A", "trust", "--no-sync"))
        with open(data + "/postgresql.conf", "a") as conf:
            conf.write("""port = %d\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '%s'\nfsync = off
shared_buffers = 16MB\nmax_connections = 20\n""" % (self.port, data))

    def command(self):
        return self.as_user(self.tool("postgres"), "-D", self.directory + "/data")

    def bench(self, *options):
        return self.run(self.tool("pgbench"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "bench", *options, "postgres")

    def answers(self):
        self.bench("-i", "-s", "2", "-q")

    def load(self, seconds):
        said = self.bench("-T", str(seconds), "-c", "4")
        return number(r"tps = ([\d.]+)", said), number(r"latency average = ([\d.]+)", said)


class Memcached(Server):
    needs = ("memcached", "memcaslap")

    def command(self):
        user = ["-u", "root"] if os.getuid() == 0 else []
        return ["memcached", *user, "-l", "127.0.0.1", "-p", str(self.port), "-m", "16", "-c", "100", "-t", "2"]

    def load(self, seconds):
        clients = 8  # each with one request under way
        said = self.run("memcaslap", "-s", "127.0.0.1:%d" % self.port, "-t", "%ds" % seconds, "-T", "1", "-c", str(clients),
                        "-w", "1k")
        rate = number(r"TPS: (\d+)", said)
        return rate, 1000 * clients / rate


SERVERS = {"redis": Redis, "nginx": Nginx, "postgresql": Postgresql, "memcached": Memcached}


def processes(root):
    """The server's processes: those below ROOT that are no tool's."""
    children = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as file:
                text = file.read()
        except OSError:
            continue
        children.setdefault(int(text.rsplit(")", 1)[1].split()[1]), []).append(int(text.split()[0]))
    todo, found = [root], []
    while todo:
        one = todo.pop()
        found.append(one)
        todo += children.get(one, [])
    return [one for one in found if name_of(one) not in ("fencepost", "runuser")]


def name_of(process):
    try:
        with open("/proc/%d/comm" % process) as file:
            return file.read().strip()
    except OSError:
        return ""


def resident_mib(root):
    total = 0
    for process in processes(root):
        try:
            with open("/proc/%d/smaps_rollup" % process) as file:
                total += int(re.search(r"Pss: +(\d+)", file.read()).group(1))
        except (OSError, AttributeError):
            pass  # it has ended
    return total / 1024


def wait_for(server, process):
    end = time.time() + START
    while True:
        try:
            return server.answers()
        except (OSError, subprocess.CalledProcessError):
            if time.time() > end or process.poll() is not None:
                raise RuntimeError("does not start, see " + server.directory)
            time.sleep(0.2)


def findings_of(directory, way):
    """What the tool says is wrong: (mistakes, definite leaks) or None."""
    if way == "fencepost":
        with open(directory + "/report.json") as file:
            reports = json.load(file)
        reports = reports if isinstance(reports, list) else [reports]
        return (sum(len(one["findings"]) for one in reports),
                sum(leak["kind"] == "definite" for one in reports for leak in one["leaks"]))
    if way == "valgrind":
        return (sum(int(number(r"ERROR SUMMARY: (\d+)", open(path).read())) for path in glob.glob(directory + "/vg.*")), None)
    return None


def stop(server, process):
    for one in processes(process.pid)[:1]:
        os.kill(one, server.stop)
    return process.wait(timeout=300)


def serve(name, way, seconds, work):
    directory = "%s/%s.%s" % (work, name, way)
    os.makedirs(directory)
    os.chmod(directory, 0o755)
    server = SERVERS[name](directory)
    server.prepare()
    prefix = {"native": [],
              "fencepost": [FENCEPOST, "run", "--quiet", "--history=8m", "--json=%s/report.json" % directory, "--log=%s/report" % directory, "--"],
              "valgrind": ["valgrind", "-q", "--trace-children=yes", "-s", "--log-file=%s/vg.%%p" % directory]}[way]
    if way == "valgrind" and name == "postgresql":
        prefix, command = [], server.as_user(*prefix, *server.command()[-3:])
    else:
        command = server.command()
    with open(directory + "/out", "w") as out:
        process = subprocess.Popen(prefix + command, cwd=directory, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        wait_for(server, process)
        third = []
        timer = threading.Timer(seconds / 3, lambda: third.append(resident_mib(process.pid)))
        timer.start()
        rate, latency = server.load(seconds)
        timer.join()
        at_end = resident_mib(process.pid)
        status = stop(server, process)
    finally:
        if process.poll() is None:
            for one in processes(process.pid):
                os.kill(one, signal.SIGKILL)
    return {"rate": rate, "latency": latency, "third": third[0], "end": at_end, "status": status,
            "findings": findings_of(directory, way)}


def judge(row, native_status):
    if row["findings"][0]:
        yield "%d findings" % row["findings"][0]
    if row["status"] != native_status:
        yield "status %d, not %d" % (row["status"], native_status)
    if row["end"] > row["third"] * (1 + 1 / GROWTH_PARTS) + GROWTH_MIB:
        yield "memory grows"


def main():
    work = BUILD + "/tests/soak/servers.work"
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    failed = False
    print("| server | way | operations/s | latency, ms | MiB at 1/3 | MiB at the end | findings | leaks |")
    print("|---|---|---:|---:|---:|---:|---:|---:|", flush=True)
    for name in sys.argv[1:] or SERVERS:
        missing = [tool for tool in SERVERS[name].needs if not shutil.which(Postgresql.tool(tool))]
        if missing:
            print("%s: no %s here, left out" % (name, " ".join(missing)), file=sys.stderr)
            continue
        native_status = None
        for way in ("native", "fencepost", "valgrind"):
            if way == "valgrind" and not shutil.which("valgrind"):
                continue
            try:
                row = serve(name, way, SECONDS if way == "fencepost" else max(SECONDS // 3, 10), work)
            except RuntimeError as why:
                print("%s, %s: %s" % (name, way, why), file=sys.stderr)
                failed |= way != "valgrind"  # under which memcached does not start: it sets a limit of descriptors
                continue
            found = ["" if one is None else str(one) for one in row["findings"] or ("", "")]
            print("| %s | %s | %.0f | %.2f | %.0f | %.0f | %s | %s |" % (name, way, row["rate"], row["latency"], row["third"],
                                                                   row["end"], *found), flush=True)
            if way == "native":
                native_status = row["status"]
            if way == "fencepost":
                for why in judge(row, native_status):
                    print("%s: %s, see %s/%s.fencepost" % (name, why, work, name), file=sys.stderr)
                    failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
