"""The rows: what is measured, against whom, and the bars."""
import os
import re
import shutil

import office
from measure import Contender
from row import Bar, Row

SMALL_MAILS = 1000
SMALL_MAIL_BYTES = 4096
LARGE_MIB = 4096
NO_GCM = "its own best, AES-256-CBC: it has no GCM"
CORRESPONDENTS = 100
CMSUTIL_LIMIT_MIB = 128  # its encryption takes ten times the size in memory


class Bench:
    """Makes the rows one after the other; each makes the files that it needs and leaves none but the mail."""

    def __init__(self, desk, limits, mib):
        self.desk = desk
        self.limits = limits
        self.mib = mib
        self.p11mime = desk.program
        self.small = desk.path("small")

    def path(self, name):
        return self.desk.path(name)

    # The contenders, each on the files named.

    def ours(self, *arguments, output=None, name="p11mime"):
        return Contender(name, [self.p11mime, *arguments], outputs=(output,) if output else ())

    def openssl(self, *arguments, output=None, name="openssl cms"):
        return Contender(name, ["openssl", "cms", *arguments], outputs=(output,) if output else ())

    def gpgsm(self, *arguments, output=None, name="gpgsm", remark=""):
        return Contender(name, ["gpgsm", *arguments], outputs=(output,) if output else (), remark=remark)

    def cmsutil(self, *arguments, output=None, remark=""):
        words = ["cmsutil", arguments[0], "-d", self.desk.nss, *arguments[1:]]
        return Contender("cmsutil", words, outputs=(output,) if output else (), remark=remark)

    def digest(self, file):
        return Contender("limit: openssl dgst -sha256", ["openssl", "dgst", "-sha256", file])

    def gcm(self, file):
        return Contender("limit: AES-256-GCM", [self.limits, "gcm", file])

    def copy(self, file, output):
        return Contender("limit: cp", ["cp", file, output], outputs=(output,), remark="what writing alone takes")

    # The files.

    def mail(self, newline=b"\r\n"):
        path = self.path("mail.eml" if newline == b"\r\n" else "mail-lf.eml")
        if not path.exists():
            office.write_mail(path, self.mib, newline)
        return path

    def entity(self):
        path = self.path("entity")
        if not path.exists():
            office.strip_header(self.mail(), path, b"\r\n")
        return path

    def made(self, name, *arguments):
        path = self.path(name)
        if not path.exists():
            self.desk.run(self.p11mime, *arguments, "-o", path)
        return path

    def signed(self):
        return self.made("signed.eml", "sign", self.mail())

    def opaque(self):
        return self.made("opaque.eml", "sign", "--opaque", self.mail())

    def encrypted(self, cipher):
        return self.made(f"{cipher}.eml", "encrypt", "--cipher", cipher, *self.recipient(), self.mail())

    def recipient(self):
        return ("--recipient-cert", self.path("alice.pem"), "--no-self", *self.trust())

    def trust(self):
        return ("--no-default-ca", "--ca", self.path("ca.pem"))

    def body(self, mail):
        """A mail's base64 alone, for programs that do not read mail; and in DER."""
        base64, der = mail.with_suffix(".b64"), mail.with_suffix(".der")
        with open(mail, "rb") as source, open(base64, "wb") as target:
            head = source.read(65536)
            target.write(head[re.search(rb"\r?\n\r?\n", head).end() :])
            shutil.copyfileobj(source, target, 1 << 20)
        self.desk.run("openssl", "base64", "-d", "-in", base64, "-out", der)
        return base64, der

    def forget(self, *keep):
        for path in self.desk.directory.iterdir():
            if path.suffix in (".eml", ".b64", ".der") and path not in keep:
                path.unlink()
        self.path("entity").unlink(missing_ok=True)

    # The rows of large mails.

    def verify(self):
        signed, entity = self.signed(), self.entity()
        signature = self.path("signature.der")
        signature.write_bytes(office.signature_of(signed))
        return Row(
            "verify",
            "verify, clear-signed",
            [
                self.ours("verify", "-n", *self.trust(), signed),
                self.digest(signed),
                self.openssl("-verify", "-in", signed, "-CAfile", self.path("ca.pem"), "-out", "/dev/null"),
                self.gpgsm("--verify", signature, entity, name="gpgsm, bare file"),
                self.cmsutil("-D", "-n", "-c", entity, "-i", signature, remark="bare file, read into memory"),
            ],
            (Bar("limit: openssl dgst -sha256", 1.15), Bar("openssl cms", 0.06), Bar("gpgsm, bare file", 1.2)),
            peak_bar=True,
        )

    def verify_lf(self):
        signed = self.path("signed-lf.eml")
        self.desk.run(self.p11mime, "sign", "-o", signed, self.mail(b"\n"))
        return Row(
            "verify-lf",
            "verify, clear-signed, line ends LF",
            [self.ours("verify", "-n", *self.trust(), signed), self.digest(signed)],
            peak_bar=True,
        )

    def sign(self):
        mail, entity = self.mail(), self.entity()
        out, theirs = self.path("out.eml"), self.path("out")
        keys = ("-signer", self.path("alice.pem"), "-inkey", self.path("alice.key"), "-in", entity, "-out", theirs)
        return Row(
            "sign",
            "sign, clear",
            [
                self.ours("sign", "-o", out, mail, output=out),
                self.digest(mail),
                self.copy(mail, theirs),
                self.openssl("-sign", *keys, output=theirs),
                self.openssl("-sign", "-stream", "-binary", *keys, output=theirs, name="openssl cms -stream -binary"),
                self.gpgsm(
                    *("--detach-sign", "-u", office.ADDRESS, "-o", theirs, entity),
                    name="gpgsm, bare file",
                    output=theirs,
                    remark="writes the signature alone",
                ),
                self.cmsutil("-S", "-T", "-N", "alice", "-i", entity, "-o", theirs, output=theirs,
                             remark="writes the signature alone"),  # fmt: skip
            ],
            (
                Bar("limit: openssl dgst -sha256", 1.25),
                Bar("openssl cms", 1),
                Bar("openssl cms -stream -binary", 1),
            ),
            peak_bar=True,
        )

    def sign_lf(self):
        mail, out = self.mail(b"\n"), self.path("out.eml")
        return Row(
            "sign-lf",
            "sign, clear, line ends LF",
            [self.ours("sign", "-o", out, mail, output=out), self.digest(mail), self.copy(mail, self.path("out"))],
            peak_bar=True,
        )

    def encrypt(self):
        mail, entity = self.mail(), self.entity()
        out, theirs = self.path("out.eml"), self.path("out")
        ours = self.ours("encrypt", "--cipher", "aes-256-gcm", *self.recipient(), "-o", out, mail, output=out)
        mode = ("-encrypt", "-aes-256-gcm", "-binary", "-in", entity, "-out", theirs)
        cmsutil = self.cmsutil("-E", "-r", office.ADDRESS, "-i", entity, "-o", theirs, output=theirs,
                               remark="AES-128-CBC, DER: it has no GCM and no base64")  # fmt: skip
        if self.mib > CMSUTIL_LIMIT_MIB:
            cmsutil = Contender("cmsutil", reason="no GCM; its CBC takes ten times the mail's size in memory")
        return Row(
            "encrypt",
            "encrypt, AES-256-GCM to base64 mail",
            [
                ours,
                self.gcm(mail),
                self.copy(mail, theirs),
                self.openssl(*mode, self.path("alice.pem"), output=theirs),
                self.openssl(*mode, "-stream", self.path("alice.pem"), output=theirs, name="openssl cms -stream"),
                self.gpgsm(
                    *("--encrypt", "--base64", "--cipher-algo", "AES256", "-r", office.ADDRESS, "-o", theirs, entity),
                    output=theirs,
                    remark=NO_GCM,
                ),
                cmsutil,
            ],
            (Bar("openssl cms", 0.4), Bar("gpgsm", 0.1)),
            peak_bar=True,
        )

    def decrypt(self, cipher):
        mail = self.encrypted(cipher)
        base64, der = self.body(mail)
        self.forget(mail, base64, der)
        out, theirs = self.path("out.eml"), self.path("out")
        gcm = cipher == "aes-256-gcm"
        own_keys = ("-recip", self.path("alice.pem"), "-inkey", self.path("alice.key"))
        rivals = [self.copy(der, theirs)]
        rivals += [self.openssl("-decrypt", "-binary", "-in", mail, *own_keys, "-out", theirs, output=theirs)]
        if gcm:
            rivals += [Contender("gpgsm", reason="no GCM"), Contender("cmsutil", reason="no GCM")]
        else:
            rivals += [
                self.gpgsm("--decrypt", "--assume-base64", "-o", theirs, base64, output=theirs),
                self.cmsutil("-D", "-i", der, "-o", theirs, output=theirs, remark="from DER, read into memory"),
            ]
        return Row(
            f"decrypt-{cipher[-3:]}",
            f"decrypt, {cipher.upper()}" + (", nothing written before its tag verified" if gcm else ""),
            [self.ours("decrypt", "-o", out, mail, output=out), *([self.gcm(der)] if gcm else []), *rivals],
            (Bar("openssl cms", 0.1),) if gcm else (Bar("gpgsm", 0.15),),
            peak_bar=True,
        )

    def verify_opaque(self):
        mail = self.opaque()
        base64, der = self.body(mail)
        return Row(
            "verify-opaque",
            "verify, opaque",
            [
                self.ours("verify", "-n", *self.trust(), mail),
                self.digest(der),
                self.openssl("-verify", "-binary", "-in", mail, "-CAfile", self.path("ca.pem"), "-out", "/dev/null"),
                self.gpgsm("--verify", "--assume-base64", base64),
                self.cmsutil("-D", "-n", "-i", der, remark="from DER, read into memory"),
            ],
            (Bar("openssl cms", 0.2),),
            peak_bar=True,
        )

    def large(self):
        """Peak memory of each command at 4 GiB, once; each step's input goes before the next is made."""
        self.forget()
        directory = self.desk.room_for(LARGE_MIB * 1024 * 1024 * 7 // 2)
        mail, signed, opaque, encrypted, out = (
            directory / f"{name}.eml" for name in ("mail", "signed", "opaque", "gcm", "out")
        )

        def step(name, source, *arguments, target=None):
            output = ("-o", target) if target else ("-n",)
            return Contender(name, [self.p11mime, *arguments, *output, source])

        steps = [
            (lambda: office.write_mail(mail, LARGE_MIB, b"\r\n", repeated=True), None),
            (None, step("sign", mail, "sign", target=signed)),
            (None, step("verify", signed, "verify", *self.trust())),
            (signed.unlink, step("sign, opaque", mail, "sign", "--opaque", target=opaque)),
            (None, step("verify, opaque", opaque, "verify", *self.trust())),
            (
                opaque.unlink,
                step("encrypt", mail, "encrypt", "--cipher", "aes-256-gcm", *self.recipient(), target=encrypted),
            ),
            (mail.unlink, step("decrypt", encrypted, "decrypt", target=out)),
        ]
        title = f"peak memory with an attachment of {LARGE_MIB // 1024} GiB"
        row = Row("large", title, [c for _, c in steps if c], compared=False)
        row.steps = steps
        return row

    # The rows of small mails.

    def small_mails(self):
        if not self.small.exists():
            office.write_small_mails(self.small, SMALL_MAILS, SMALL_MAIL_BYTES)
        return sorted(self.small.iterdir())

    def engine(self, *arguments):
        key = f"{self.desk.uri};pin-value={office.PIN}"
        return ("openssl", "cms", "-sign", "-engine", "pkcs11", "-keyform", "engine", "-inkey", key,
                "-signer", self.path("alice.pem"), *arguments)  # fmt: skip

    def batch(self):
        mails = self.small_mails()
        threads = str(os.cpu_count())
        ours, loop, theirs, bare = (self.path(name) for name in ("batch", "loop", "processes", "signed-small"))
        for directory in (ours, loop, theirs, bare):
            directory.mkdir(exist_ok=True)
        mail_list = self.path("small.list")
        mail_list.write_text("".join(f"{mail}\n" for mail in mails))
        self.desk.run(self.p11mime, "sign", "--key", self.desk.uri, "-d", bare, *mails)
        token = (self.desk.module, office.KEY_ID, threads)
        return Row(
            "batch",
            f"{len(mails)} mails of {SMALL_MAIL_BYTES // 1024} KiB signed, RSA-2048 on SoftHSM",
            [
                Contender(
                    "p11mime",
                    [self.p11mime, "sign", "--key", self.desk.uri, "-j", threads, "-d", ours, *mails],
                    outputs=(ours,),
                ),
                Contender("limit: C_Sign, write, sync, rename", [self.limits, "files", *token, bare, loop],
                          outputs=(loop,), remark=f"{threads} threads"),  # fmt: skip
                Contender("limit: C_Sign alone", [self.limits, "sign", *token, str(len(mails))],
                          remark=f"{threads} threads"),  # fmt: skip
                Contender("openssl cms, a process each", [*self.engine("-in", "{}", "-out", theirs / "{/}")],
                          each=mail_list, outputs=(theirs,), remark="pkcs11 engine, same token"),  # fmt: skip
            ],
            (
                Bar("limit: C_Sign, write, sync, rename", 0.9, speed=True),
                Bar("openssl cms, a process each", 15, speed=True),
            ),
        )

    def one(self):
        mail, out, theirs = self.small_mails()[0], self.path("out.eml"), self.path("out")
        return Row(
            "one",
            "one small mail signed, whole process",
            [
                self.ours("sign", "--key", self.desk.uri, "-o", out, mail, output=out),
                Contender("openssl cms, pkcs11 engine", [*self.engine("-in", mail, "-out", theirs)], outputs=(theirs,)),
                self.openssl("-sign", "-signer", self.path("alice.pem"), "-inkey", self.path("alice.key"),
                             "-in", mail, "-out", theirs, output=theirs, name="openssl cms, key in a file"),  # fmt: skip
            ],
            (Bar("openssl cms, pkcs11 engine", 1.2),),
            runs=51,
        )

    def one_verified(self):
        signed = self.path("small-signed.eml")
        self.desk.run(self.p11mime, "sign", "-o", signed, self.small_mails()[0])
        return Row(
            "one-verified",
            "one small mail verified, whole process",
            [
                self.ours("verify", "-n", *self.trust(), signed),
                self.openssl("-verify", "-in", signed, "-CAfile", self.path("ca.pem"), "-out", "/dev/null"),
            ],
            runs=51,
        )

    def listed_mail(self):
        """A small mail by Alice, whose certificate names a CRL that is in the cache; the CA and the CRL for openssl; and
        the XDG_DATA_HOME of somebody who knows many, but not her. Several rows have them."""
        signed, anchors, data = self.path("small.listed"), self.path("ca-and-crl.pem"), self.path("correspondents")
        if not signed.exists():
            check = (self.p11mime, "verify", "-n", *self.trust(), "--revocation", "online", signed)
            self.desk.know(CORRESPONDENTS, data)
            self.desk.list_alice(lambda: self.desk.run(*check), self.small_mails()[0], signed, anchors)
        return signed, anchors, data

    def revocation_row(self, key, title, trust, bars):
        signed, anchors, data = self.listed_mail()
        check = ("verify", "-n", *trust, "--revocation", "online", "--require-revocation", signed)
        ours = self.ours(*check)
        ours.environment["XDG_DATA_HOME"] = str(data)
        theirs = self.openssl("-verify", "-crl_check", "-in", signed, "-CAfile", anchors, "-out", "/dev/null")
        title = f"one small mail verified with a cached CRL, {title}, whole process"
        return Row(key, title, [ours, theirs], bars, runs=51)

    def one_revocation(self):
        title = f"its sender none of {CORRESPONDENTS} correspondents"
        return self.revocation_row("one-revocation", title, self.trust(), (Bar("openssl cms", 1.5),))

    def one_revocation_roots(self):
        return self.revocation_row("one-revocation-roots", "by one's own anchor, Mozilla's roots at hand", (), ())

    def calls(self):
        """PKCS#11 calls of one small mail signed, counted with pkcs11-spy."""
        mail, log = self.small_mails()[0], self.path("spy.log")

        def count(*arguments):
            log.unlink(missing_ok=True)
            self.desk.run("env", f"PKCS11SPY={self.desk.module}", f"PKCS11SPY_OUTPUT={log}",
                          f"PKCS11_MODULE_PATH={self.desk.spy}", *arguments)  # fmt: skip
            return len(re.findall(rb"^\d+: C_", log.read_bytes(), re.MULTILINE))

        ours = count(self.p11mime, "sign", "--module", self.desk.spy, "--key", self.desk.uri,
                     "-o", self.path("out.eml"), mail)  # fmt: skip
        theirs = count(*self.engine("-in", mail, "-out", self.path("out")))
        row = Row("calls", "PKCS#11 calls for one small mail signed, --key URI with the id", [])
        row.values = {"p11mime": ours, "openssl cms, pkcs11 engine": theirs}
        verdict = "ok" if ours <= theirs else "OVER"
        row.notes.append(f"p11mime {ours}, openssl cms with the pkcs11 engine {theirs}: {verdict}")
        return row

    def rows(self):
        """Key and maker of each row, in the order that needs the least room for files."""
        return {
            "one": self.one,
            "one-verified": self.one_verified,
            "one-revocation": self.one_revocation,
            "one-revocation-roots": self.one_revocation_roots,
            "calls": self.calls,
            "batch": self.batch,
            "verify": self.verify,
            "sign": self.sign,
            "encrypt": self.encrypt,
            "verify-opaque": self.verify_opaque,
            "decrypt-gcm": lambda: self.decrypt("aes-256-gcm"),
            "decrypt-cbc": lambda: self.decrypt("aes-256-cbc"),
            "verify-lf": self.verify_lf,
            "sign-lf": self.sign_lf,
            "large": self.large,
        }
