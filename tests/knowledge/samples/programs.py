"""Collect the error texts of mail programs: `python -m tests.knowledge.samples.programs [FOLDER]`.

Each program sends a message to a real Postfix that refuses it, or fails to reach one, in the small
internet of world.py. What it prints is kept as `programs/PROGRAM/CASE.txt`, but for
names of folders. Programs that are not
installed are left out. Needs what make.py needs, and Node.js and Java for their libraries.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.interop.servers import MailServer, postfix

from . import world

PACKAGES = (
    *("php8.2-cli", "php8.2-common", "libphp-phpmailer", "libargon2-1", "libsodium23"),
    *("msmtp", "libgsasl18", "libntlm0", "libsecret-1-0", "libgssglue1"),
    *("libio-socket-ssl-perl", "libdigest-hmac-perl"),
)
HOST = "mx.postfix.example"
SILENT = 2500  # a port whose server never speaks


@dataclass(frozen=True, slots=True)
class Case:
    """What a program is told: `security` is "plain", "starttls" or "tls"."""

    host: str
    port: int
    security: str = "plain"
    user: str = ""
    password: str = ""
    sender: str = "ann@postfix.example"
    recipient: str = "bob@postfix.example"
    size: int = 100

    def words(self) -> tuple[str, ...]:
        """Return the arguments that every script below takes."""
        return (
            *(self.host, str(self.port), self.security, self.user, self.password),
            *(self.sender, self.recipient, str(self.size)),
        )


PYTHON = """\
import smtplib, ssl, sys
host, port, security, user, password, sender, recipient, size = sys.argv[1:]
context = ssl.create_default_context(cafile="authority.pem")
if security == "tls":
    client = smtplib.SMTP_SSL(host, int(port), timeout=3, context=context)
else:
    client = smtplib.SMTP(host, int(port), timeout=3)
if security == "starttls":
    client.starttls(context=context)
if user:
    client.login(user, password)
client.sendmail(sender, [recipient], "Subject: test\\n\\n" + int(size) * "x")
"""

NODE = """\
const [host, port, security, user, pass, from, to, size] = process.argv.slice(2);
const transport = require("nodemailer").createTransport({
  host, port, secure: security === "tls", requireTLS: security === "starttls",
  ignoreTLS: security === "plain", greetingTimeout: 3000, connectionTimeout: 3000,
  auth: user ? { user, pass } : undefined,
  tls: { ca: require("fs").readFileSync("authority.pem") },
});
transport.sendMail({ from, to, subject: "test", text: "x".repeat(Number(size)) })
  .catch((error) => console.error(error));
"""

JAVA = """\
import java.util.Properties;
import javax.mail.*;
import javax.mail.internet.*;

public class Send {
    public static void main(String[] words) throws Exception {
        Properties settings = new Properties();
        settings.put("mail.smtp.host", words[0]);
        settings.put("mail.smtp.port", words[1]);
        settings.put("mail.smtp.timeout", "3000");
        settings.put("mail.smtp.connectiontimeout", "3000");
        settings.put("mail.smtp.ssl.enable", words[2].equals("tls"));
        settings.put("mail.smtp.starttls.enable", words[2].equals("starttls"));
        settings.put("mail.smtp.starttls.required", words[2].equals("starttls"));
        settings.put("mail.smtp.auth", !words[3].isEmpty());
        settings.put("mail.smtp.from", words[5]);
        if (words[0].startsWith("mx.")) settings.put("mail.smtp.ssl.trust", words[0]);
        Session session = Session.getInstance(settings, new Authenticator() {
            protected PasswordAuthentication getPasswordAuthentication() {
                return new PasswordAuthentication(words[3], words[4]);
            }
        });
        MimeMessage message = new MimeMessage(session);
        message.setFrom(new InternetAddress(words[5]));
        message.setRecipient(Message.RecipientType.TO, new InternetAddress(words[6]));
        message.setSubject("test");
        message.setText("x".repeat(Integer.parseInt(words[7])));
        Transport.send(message);
    }
}
"""

PHP = """\
<?php
foreach (["Exception", "PHPMailer", "SMTP"] as $part) {
    require "/usr/share/php/libphp-phpmailer/src/$part.php";
}
[, $host, $port, $security, $user, $password, $from, $to, $size] = $argv;
$mail = new PHPMailer\\PHPMailer\\PHPMailer(true);
$mail->isSMTP();
$mail->Host = $host;
$mail->Port = (int) $port;
$mail->Timeout = 3;
$mail->SMTPAutoTLS = false;
$mail->SMTPSecure = ["plain" => "", "starttls" => "tls", "tls" => "ssl"][$security];
$mail->SMTPOptions = ["ssl" => ["cafile" => "authority.pem"]];
if ($user !== "") {
    $mail->SMTPAuth = true;
    $mail->Username = $user;
    $mail->Password = $password;
}
$mail->setFrom($from);
$mail->addAddress($to);
$mail->Subject = "test";
$mail->Body = str_repeat("x", (int) $size);
$mail->send();
"""

PERL = """\
use strict; use warnings; use Net::SMTP;
my ($host, $port, $security, $user, $password, $from, $to, $size) = @ARGV;
my $smtp = Net::SMTP->new($host, Port => $port, Timeout => 3, SSL => $security eq "tls",
    SSL_ca_file => "authority.pem") or die "Cannot connect: $@";
$smtp->starttls(SSL_ca_file => "authority.pem") or die "STARTTLS: " . $smtp->message
    if $security eq "starttls";
$smtp->auth($user, $password) or die "AUTH: " . $smtp->code . " " . $smtp->message if $user;
$smtp->mail($from) or die "MAIL: " . $smtp->code . " " . $smtp->message;
$smtp->to($to) or die "RCPT: " . $smtp->code . " " . $smtp->message;
$smtp->data("Subject: test\\n\\n" . "x" x $size)
    or die "DATA: " . $smtp->code . " " . $smtp->message;
"""

SCRIPTS = {
    "smtplib": ("send.py", PYTHON, (sys.executable, "send.py")),
    "nodemailer": ("send.js", NODE, ("env", "NODE_PATH=/usr/share/nodejs", "node", "send.js")),
    "javamail": ("Send.java", JAVA, ("java", "-cp", "/usr/share/java/*", "Send.java")),
    "phpmailer": ("send.php", PHP, ("php8.2", "send.php")),
    "net-smtp": ("send.pl", PERL, ("perl", "send.pl")),
}


def curl(case: Case) -> list[str]:
    """Return curl's command."""
    scheme = "smtps" if case.security == "tls" else "smtp"
    command = [
        "curl",
        "--silent",
        "--show-error",
        "--max-time",
        "3",
        "--upload-file",
        "message.eml",
    ]
    command += [f"{scheme}://{case.host}:{case.port}", "--cacert", "authority.pem"]
    command += ["--mail-from", case.sender, "--mail-rcpt", case.recipient]
    command += ["--ssl-reqd"] if case.security == "starttls" else []
    return command + (["--user", f"{case.user}:{case.password}"] if case.user else [])


def swaks(case: Case) -> list[str]:
    """Return swaks' command."""
    command = ["swaks", "--server", case.host, "--port", str(case.port), "--timeout", "3"]
    command += ["--from", case.sender, "--to", case.recipient, "--body", "@message.eml"]
    command += {"plain": [], "starttls": ["--tls"], "tls": ["--tls-on-connect"]}[case.security]
    login = ["--auth-user", case.user, "--auth-password", case.password]
    return command + (login if case.user else [])


def msmtp(case: Case) -> list[str]:
    """Return msmtp's command."""
    tls = (
        ["--tls=off"]
        if case.security == "plain"
        else ["--tls=on", "--tls-trust-file=authority.pem"]
    )
    starttls = "--tls-starttls=" + ("off" if case.security == "tls" else "on")
    command = ["msmtp", f"--host={case.host}", f"--port={case.port}", *tls, starttls]
    command += [f"--from={case.sender}", "--timeout=3", "--logfile=-"]
    if case.user:
        command += ["--auth=plain", f"--user={case.user}", f"--passwordeval=echo '{case.password}'"]
    return [*command, "--", case.recipient]


COMMANDS = {"curl": curl, "swaks": swaks, "msmtp": msmtp}


def cases(server: MailServer) -> dict[str, Case]:
    """Return what goes wrong, by its name."""
    known = Case(
        HOST, server.ports["submission"], "starttls", user=server.user, password=server.password
    )
    plain = Case(HOST, server.ports["smtp"])
    return {
        "login-failed": replace(known, password="wrong"),
        "not-owner": replace(known, sender="bob@postfix.example"),
        "encryption-required": replace(known, security="plain", user="", password=""),
        "auth-not-offered": replace(plain, user=server.user, password=server.password),
        "unknown-user": replace(plain, recipient="nobody@postfix.example"),
        "relay-denied": replace(plain, recipient="zoe@elsewhere.example"),
        "too-big": Case(HOST, server.ports["small"], size=20_000),
        "starttls-not-offered": Case(HOST, server.ports["plain"], "starttls"),
        "tls-to-plain-port": replace(plain, security="tls"),
        "plain-to-tls-port": Case(HOST, server.ports["smtps"]),
        "wrong-name": Case("other.postfix.example", server.ports["smtp"], "starttls"),
        "refused": Case("mx.down.example", 25),
        "no-such-host": Case("mx.nowhere.example", 25),
        "no-greeting": Case(HOST, SILENT),
    }


@contextlib.contextmanager
def silent_server() -> Iterator[None]:
    """Accept connections and say nothing."""
    with socket.create_server((world.ADDRESSES[HOST], SILENT)):
        yield


def run(command: list[str], case: Case, folder: Path) -> str:
    """Run a program in `folder`; return what it printed, or "" where it had no complaint."""
    message = f"Subject: test\r\n\r\n{case.size * 'x'}\r\n"
    (folder / "message.eml").write_text(message)
    try:
        done = subprocess.run(
            command,
            input=message,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ""  # a program without a limit of its own says nothing
    text = done.stderr + done.stdout
    text = text.replace(f"{folder}/", "").replace(sys.base_prefix, "/usr")
    return re.sub("x{100,}", 60 * "x", text)


def main(target: Path) -> None:
    """Collect the texts of every program that is installed."""
    settings = "inet_interfaces = all\n"
    with (
        tempfile.TemporaryDirectory() as name,
        world.name_server(),
        silent_server(),
        postfix(host=world.ADDRESSES[HOST], names=(HOST,), settings=settings) as server,
    ):
        folder = Path(name)
        shutil.copy(server.authority, folder / "authority.pem")
        for script, text, _ in SCRIPTS.values():
            (folder / script).write_text(text)
        for program in (*SCRIPTS, *COMMANDS):
            collect(program, cases(server), folder, target / program)


def collect(program: str, all_cases: dict[str, Case], folder: Path, target: Path) -> None:
    """Write what one program prints in every case."""
    shutil.rmtree(target, ignore_errors=True)
    for name, case in all_cases.items():
        if program in COMMANDS:
            command = COMMANDS[program](case)
        else:
            command = [*SCRIPTS[program][2], *case.words()]
        if shutil.which(command[0]) is None:
            print(f"{program} is not installed")
            return
        if text := run(command, case, folder):
            target.mkdir(parents=True, exist_ok=True)
            (target / f"{name}.txt").write_text(text)


if __name__ == "__main__" and world.enter("tests.knowledge.samples.programs", PACKAGES):
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "programs")
