"""What the programs work with: one key and certificate, known to each of them, and the mails."""
import base64
import functools
import http.server
import os
import pathlib
import shutil
import subprocess
import threading

PIN = "123456"
ADDRESS = "alice@example.gov"
KEY_ID = "01"
LINE = 57  # bytes to a line of base64

EXTENSIONS = f"""basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=emailProtection
subjectAltName=email:{ADDRESS}
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    def log_message(self, *_):
        pass


class Office:
    """Everything is under one directory, and files that find no room there in `spill`; end() ends what was started and
    removes both."""

    def __init__(self, directory, spill, program):
        self.directory = directory
        self.spill = spill
        self.program = program
        self.module = next(pathlib.Path("/usr/lib").rglob("libsofthsm2.so"))
        self.spy = next(pathlib.Path("/usr/lib").rglob("pkcs11-spy.so"))
        self.gnupg = directory / "gnupg"
        self.nss = f"sql:{directory}/nss"
        self.uri = f"pkcs11:token=bench;id=%{KEY_ID};type=private"
        self.environment = os.environ | {
            "SOFTHSM2_CONF": str(directory / "softhsm2.conf"),
            "XDG_CONFIG_HOME": str(directory / "home"),
            "XDG_CACHE_HOME": str(directory / "home"),
            "XDG_DATA_HOME": str(directory / "home"),
            "XDG_STATE_HOME": str(directory / "home"),
            "HOME": str(directory / "home"),
            "PIN": PIN,
            "GNUPGHOME": str(self.gnupg),
            "PKCS11_MODULE_PATH": str(self.module),
        }

    def path(self, name):
        return self.directory / name

    def set_up(self):
        for name in ("home/p11mime", "tokens", "gnupg", "nss"):
            self.path(name).mkdir(parents=True, mode=0o700)
        self._issue()
        self._token()
        self._gnupg()
        self._nss()

    def end(self):
        subprocess.run(["gpgconf", "--kill", "all"], env=self.environment, check=False, capture_output=True)
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.spill, ignore_errors=True)

    def room_for(self, size):
        """A directory for so many bytes: on tmpfs if memory suffices, else on the disk."""
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
        available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
        if min(available, shutil.disk_usage(self.directory).free) > size * 5 // 4:
            return self.directory
        self.spill.mkdir(exist_ok=True)
        return self.spill

    def run(self, *arguments, **options):
        done = subprocess.run(arguments, env=self.environment, capture_output=True, check=False, **options)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, arguments[:4]))} …: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def _issue(self):
        path = self.path
        path("extensions").write_text(EXTENSIONS)
        self.run(
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Bench CA"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", path("ca.key"), "-out", path("ca.pem")),
        )
        self.run(
            *("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Alice"),
            *("-keyout", path("alice.key"), "-out", path("alice.csr")),
        )
        self.run(
            *("openssl", "x509", "-req", "-in", path("alice.csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key")),
            *("-days", "30", "-extfile", path("extensions"), "-out", path("alice.pem")),
        )
        self.run(
            *("openssl", "pkcs12", "-export", "-legacy", "-in", path("alice.pem"), "-inkey", path("alice.key")),
            *("-name", "alice", "-certfile", path("ca.pem"), "-passout", "pass:x", "-out", path("alice.p12")),
        )

    def list_alice(self, fetch, mail, signed, anchors):
        """Signs a mail with a certificate of Alice's that names a CRL, and has `fetch` run while that is served; the CA
        and the CRL are in `anchors`."""
        path = self.path
        site = path("site")
        site.mkdir()
        handler = functools.partial(QuietHandler, directory=site)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            url = f"http://127.0.0.1:{server.server_port}/bench.crl"
            path("listed").write_text(EXTENSIONS + f"crlDistributionPoints=URI:{url}\n")
            self.run(
                *("openssl", "x509", "-req", "-in", path("alice.csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key")),
                *("-days", "30", "-extfile", path("listed"), "-out", path("listed.pem")),
            )
            path("index").write_text("")
            path("ca.cnf").write_text(f"[ca]\ndefault_ca=bench\n[bench]\ndatabase={path('index')}\ndefault_md=sha256\n")
            self.run(
                *("openssl", "ca", "-config", path("ca.cnf"), "-gencrl", "-crldays", "30", "-cert", path("ca.pem")),
                *("-keyfile", path("ca.key"), "-out", path("crl.pem")),
            )
            self.run("openssl", "crl", "-in", path("crl.pem"), "-outform", "DER", "-out", site / "bench.crl")
            anchors.write_bytes(path("ca.pem").read_bytes() + path("crl.pem").read_bytes())
            head, _, body = mail.read_bytes().partition(b"\r\n\r\n")
            path("listed.txt").write_bytes(b"Content-Type: text/plain\r\n\r\n" + body)
            self.run(
                *("openssl", "cms", "-sign", "-binary", "-in", path("listed.txt"), "-signer", path("listed.pem")),
                *("-inkey", path("alice.key"), "-out", path("listed.smime")),
            )
            fields = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"content-", b"mime-"))]
            signed.write_bytes(b"\n".join(fields) + b"\n" + path("listed.smime").read_bytes())
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                fetch()
            finally:
                server.shutdown()
                thread.join()

    def know(self, count, data):
        """Makes an address book under `data`, an XDG_DATA_HOME, with so many correspondents, none of whom is Alice, and
        the CA as an anchor of one's own."""
        path = self.path
        known = path("known.pem")
        for number in range(count):
            name = f"correspondent{number:03}"
            subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=email:{name}@example.gov")
            certificate = self.run(
                *("openssl", "req", "-x509", "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-days", "30"),
                *("-key", path("alice.key"), *subject),
            )
            with open(known, "ab") as file:
                file.write(certificate)
        for words in (("import", known), ("trust", path("ca.pem"))):
            self.run("env", f"XDG_DATA_HOME={data}", self.program, "certs", *words)

    def _token(self):
        self.path("softhsm2.conf").write_text(f"directories.tokendir = {self.path('tokens')}\n")
        self.run(*("softhsm2-util", "--init-token", "--free", "--label", "bench", "--pin", PIN, "--so-pin", "12345678"))
        self.run(
            *("softhsm2-util", "--import", self.path("alice.key"), "--token", "bench", "--label", "alice"),
            *("--id", KEY_ID, "--pin", PIN),
        )
        self.path("home/p11mime/config").write_text(f"module = {self.module}\npin-source = env:PIN\nprivate-hosts = 127.0.0.1\n")
        self.run(self.program, "key", "import-cert", self.path("alice.pem"))

    def _gnupg(self):
        fingerprint = self.run("openssl", "x509", "-in", self.path("ca.pem"), "-noout", "-fingerprint").decode()
        (self.gnupg / "trustlist.txt").write_text(fingerprint.strip().split("=")[1] + " S relax\n")
        (self.gnupg / "gpgsm.conf").write_text(
            "disable-crl-checks\ndisable-dirmngr\nbatch\nyes\npinentry-mode loopback\n"
        )
        (self.gnupg / "gpg-agent.conf").write_text(
            "allow-loopback-pinentry\nno-grab\ns2k-count 65536\ndefault-cache-ttl 86400\nmax-cache-ttl 86400\n"
        )
        self.run("gpgsm", "--import", self.path("ca.pem"))
        self.run("gpgsm", "--passphrase-fd", "0", "--import", self.path("alice.p12"), input=b"x")
        # The agent asks for the key's passphrase once and remembers it.
        self.run("gpgsm", "--passphrase-fd", "0", "--detach-sign", "-u", ADDRESS, "-o", "/dev/null",
                 self.path("alice.pem"), input=b"x")  # fmt: skip

    def _nss(self):
        self.run("certutil", "-N", "-d", self.nss, "--empty-password")
        self.run("certutil", "-A", "-d", self.nss, "-n", "ca", "-t", "CT,C,C", "-i", self.path("ca.pem"))
        self.run("pk12util", "-i", self.path("alice.p12"), "-d", self.nss, "-W", "x", "-K", "")


def write_mail(path, mib, newline, repeated=False):
    """A mail with a random attachment in base64. `repeated`: one random block over and over, which is quicker made."""
    block = LINE * 16384
    left = mib * 1024 * 1024
    content = b""
    with open(path, "wb") as mail:
        mail.write(mail_header("bench", "application/octet-stream", "base64").replace(b"\n", newline))
        while left > 0:
            if not content or not repeated or left < block:
                content = base64.encodebytes(os.urandom(min(block, left))).replace(b"\n", newline)
            mail.write(content)
            left -= block


def write_small_mails(directory, count, size):
    directory.mkdir()
    for number in range(count):
        text = mail_header(f"small mail {number}", "text/plain; charset=us-ascii", "7bit")
        text += base64.encodebytes(os.urandom(size))[: size - len(text)] + b"\n"
        (directory / f"{number:04}.eml").write_bytes(text.replace(b"\n", b"\r\n"))


def mail_header(subject, media_type, encoding):
    return (
        f"From: {ADDRESS}\nTo: {ADDRESS}\nSubject: {subject}\nMIME-Version: 1.0\n"
        f"Content-Type: {media_type}\nContent-Transfer-Encoding: {encoding}\n\n"
    ).encode()


def signature_of(mail):
    """The DER of a clear-signed mail's signature, the last of its parts."""
    with open(mail, "rb") as source:
        source.seek(max(0, mail.stat().st_size - 65536))
        part = source.read().replace(b"\r\n", b"\n").rsplit(b"\nContent-Type: application/pkcs7-signature", 1)[1]
    return base64.b64decode(part.split(b"\n\n", 1)[1].split(b"\n--", 1)[0])


def strip_header(mail, entity, newline):
    """The mail's MIME entity alone: from its Content-Type field on."""
    with open(mail, "rb") as source, open(entity, "wb") as target:
        head = source.read(65536)
        target.write(head[head.index(newline + b"Content-Type:") + len(newline) :])
        while chunk := source.read(1 << 20):
            target.write(chunk)
