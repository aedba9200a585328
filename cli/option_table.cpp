#include "cli/option_table.h"

#include <algorithm>

namespace p11mime::cli {

namespace {

constexpr auto flag = OptionKind::flag;
constexpr auto text = OptionKind::text;
constexpr auto list = OptionKind::list;

constexpr OptionSpec kOptions[] = {
    {"output", 'o', text, "FILE", "write here", kOutput},
    {"directory", 'd', text, "DIR", "outputs here", kMany},
    {"in-place", 0, flag, "", "replace FILES", kMany},
    {"jobs", 'j', text, "N", "mails at a time", kMany},
    {"no-output", 'n', flag, "", "the verdict alone", kNoOutput},
    {"entity", 0, flag, "", "input: MIME entity", kMail},
    {"content", 0, text, "FILE", "what a detached der or pem signature signs", kContent},
    {"form", 0, text, "smime|der|pem", "default smime", kForm},
    {"form", 0, text, "pem|der", "output form, by default pem", kPemOrDer},
    {"form", 0, text, "pem|der|p7c", "output form, by default pem; p7c: certs-only CMS", kCertsForm},
    {"detached", 0, flag, "", "signature alone", kDetached},
    {"compress", 0, flag, "", "zlib first", kCompress},
    {"protect-headers", 0, flag, "", "also inside", kHeaders},
    {"no-protect-headers", 0, flag, "", "", kHeaders},

    {"key", 0, list, "URI", "signing key", kSign},
    {"key", 0, text, "URI", "the key", kOneKey},
    {"from", 0, text, "ADDRESS", "sender, not From", kSender},
    {"digest", 0, text, "NAME", "sha(256|384|512)", kSign},
    {"pss", 0, flag, "", "RSA-PSS signature", kSign},
    {"opaque", 0, flag, "", "not clear-signed", kSign},
    {"timestamp", 0, text, "URL", "have it stamped", kSign},
    {"no-chain", 0, flag, "", "no intermediates", kSign},
    {"triple", 0, flag, "", "sign outside too", kTriple},

    {"recipient", 'r', list, "ADDR", "else To,Cc,Bcc", kRecipients},
    {"recipient-cert", 0, list, "FILE", "certificate", kRecipients},
    {"bcc-separately", 0, text, "DIR", "for Bcc copies", kRecipients},
    {"no-self", 0, flag, "", "not to the sender", kRecipients},
    {"oaep", 0, flag, "", "RSA-OAEP for all", kRecipients},
    {"shared-agreement", 0, flag, "", "", kRecipients},
    {"allow-untrusted-recipients", 0, flag, "", "", kRecipients},
    {"cipher", 0, text, "NAME", "aes-(128|192|256)-(gcm|cbc), chacha20-poly1305", kRecipients},
    {"own-cert", 0, list, "FILE|DIR", "of keys whose certificates are on no token", kOwnCerts},
    {"kek", 0, text, "FILE", "shared key", kSecrets},
    {"password-source", 0, text, "SRC", "password", kSecrets | kImport},
    {"unknown-cipher", 0, text, "CIPHER", "for recipients who announce none", kConfigOnly},

    {"ca", 0, list, "FILE|DIR", "add anchors", kTrust | kAnchors},
    {"system-ca", 0, flag, "", "", kTrust | kAnchors},
    {"no-default-ca", 0, flag, "", "drop e-mail roots", kTrust | kAnchors},
    {"intermediates", 0, list, "FILE|DIR", "for paths", kTrust | kChain},
    {"purpose", 0, text, "email|any", "default email", kTrust},
    {"allow-weak", 0, flag, "", "SHA-1, RSA < 2048", kTrust | kConfigOnly},
    {"at", 0, text, "TIME", "when to judge", kTrust},
    {"private-hosts", 0, list, "HOST", "servers that may have private addresses", kConfigOnly},
    {"policy", 0, list, "OID", "accepted policy", kTrust},
    {"explicit-policy", 0, flag, "", "", kTrust},
    {"inhibit-policy-mapping", 0, flag, "", "", kTrust},
    {"inhibit-any-policy", 0, flag, "", "", kTrust},
    {"revocation", 0, text, "HOW", "off|offline|online", kTrust},
    {"require-revocation", 0, flag, "", "", kTrust},
    {"crl", 0, list, "FILE|DIR", "revocation lists", kTrust | kConfigOnly},
    {"fetch-issuers", 0, flag, "", "", kTrust},
    {"sender-check", 0, text, "require|warn|off", "signer against From; require by default", kVerdict},
    {"html", 0, text, "FILE", "mail and verdict", kVerdict},
    {"remember", 0, flag, "", "keep certificates", kVerdict},
    {"strict", 0, flag, "", "no output on exit 3", kVerdict},
    {"even-if-invalid", 0, flag, "", "write broken content too (-o only)", kVerdict},

    {"forget", 0, flag, "", "drop cached PINs", kShowKeys},
    {"login", 0, flag, "", "log in, to show keys that need it", kShowKeys},
    {"sign", 0, flag, "", "log in and make a test signature", kTestSignature},
    {"type", 0, text, "KIND", "rsa2048-4096, p256-521, brainpool256-512, (ed|x)(25519|448)", kGenerate},
    {"label", 0, text, "LABEL", "name on the token", kGenerate | kLabel},
    {"id", 0, text, "HEX", "CKA_ID; else random", kGenerate},
    {"id", 0, text, "HEX", "CKA_ID; else hash of key", kImport},
    {"csr", 0, flag, "", "request a certificate", kGenerate},
    {"profile", 0, text, "sign|encrypt|both", "what the key is for, default both", kSubject},
    {"name", 0, text, "NAME", "common name", kSubject},
    {"email", 0, list, "ADDRESS", "subjectAltName", kSubject},
    {"organization", 0, text, "NAME", "organization (O)", kSubject},
    {"country", 0, text, "CC", "country (C)", kSubject},
    {"days", 0, text, "N", "lifetime, else 365", kDays},
    {"ldap-directory", 0, list, "URL", "where to look: ldap://HOST/BASE", kLookup},
    {"yes", 0, flag, "", "don't ask", kDelete | kLookup},
    {"puk-source", 0, text, "SOURCE", "where the PUK comes from, as --pin-source", kPuk},
    {"new-pin-source", 0, text, "SOURCE", "where the new PIN comes from, as --pin-source", kNewPin},

    {"module", 0, list, "FILE", "PKCS#11 module", kTokens | kModules},
    {"token", 0, text, "URI", "this token only", kTokens | kModules},
    {"pin-source", 0, text, "SRC", "pad, pinentry, tty, env:VAR, file:PATH or fd:N", kTokens},
    {"pin-cache", 0, text, "TIME", "keep it: 90s, 10m", kTokens},
    {"pin-reuse", 0, flag, "", "type it once", kTokens},
    {"pinentry-program", 0, text, "FILE", "pinentry, if not of PATH", kConfigOnly},

    {"wait", 0, text, "SECONDS", "for the card", kTokens},
    {"on-insert", 0, text, "COMMAND", "run this when a card comes, its event in P11MIME_*", kWatch},
    {"on-remove", 0, text, "COMMAND", "run this when a card goes", kWatch},

    {"json", 0, text, "FILE|-", "write report", kGeneral},
    {"batch", 0, flag, "", "never ask", kGeneral},
    {"sysexits", 0, flag, "", "", kGeneral},
    {"help", 'h', flag, "", "", kGeneral},
};

constexpr Groups kSigning = kSign | kSender | kChain | kTokens;
constexpr Groups kEncrypting = kRecipients | kSecrets | kSender | kTrust | kTokens;
constexpr Groups kWriting = kOutput | kMany | kMail;

constexpr std::size_t kMostMails = 10'000'000;

constexpr CommandSpec kCommands[] = {
    {"sign", "[FILE...]", "mail in, signed mail out",
     kGeneral | kWriting | kForm | kCompress | kHeaders | kSigning | kAnchors | kDetached, kMostMails},
    {"verify", "[FILE...]", "signed mail in, its content out, a verdict per signer",
     kGeneral | kWriting | kNoOutput | kTrust | kVerdict | kContent, kMostMails},
    {"encrypt", "[FILE...]", "mail in, encrypted mail out",
     kGeneral | kWriting | kForm | kCompress | kHeaders | kEncrypting, kMostMails},
    {"decrypt", "[FILE...]", "encrypted mail in, its content out",
     kGeneral | kWriting | kNoOutput | kTokens | kOwnCerts | kSecrets, kMostMails},
    {"seal", "[FILE...]", "sign, then encrypt",
     kGeneral | kWriting | kForm | kCompress | kHeaders | kSigning | kEncrypting | kTriple, kMostMails},
    {"open", "[FILE...]", "take off and report every layer of a mail",
     kGeneral | kWriting | kNoOutput | kTokens | kOwnCerts | kSecrets | kTrust | kVerdict, kMostMails},
    {"inspect", "[FILE]", "show layers, algorithms, signers and recipients; needs no key", kGeneral | kMail, 1},
    {"tokens", "", "list readers, tokens, PIN states, keys and certificates", kGeneral | kTokens | kShowKeys, 0},
    {"watch", "", "tell what readers and cards do, until a signal ends it", kGeneral | kModules | kWatch, 0},
    {"doctor", "", "find out why a card does not work, and name the fix", kGeneral | kTokens | kTrust | kTestSignature,
     0},
    {"key generate", "", "make a key pair on a token and print its URI, or with --csr a request",
     kGeneral | kTokens | kGenerate | kSubject | kOutput | kPemOrDer, 0},
    {"key csr", "", "certificate request (PKCS#10) for a key, signed on the token",
     kGeneral | kTokens | kOneKey | kSubject | kOutput | kPemOrDer, 0},
    {"key self-sign", "", "self-signed certificate for a key, for trying things out",
     kGeneral | kTokens | kOneKey | kSubject | kDays | kOutput | kPemOrDer, 0},
    {"key import-cert", "FILE", "put a certificate beside its key on the token", kGeneral | kTokens | kLabel, 1},
    {"key import-p12", "FILE", "put a key and its certificates out of a PKCS#12 file on a token",
     kGeneral | kTokens | kLabel | kImport, 1},
    {"key delete", "", "delete a key and its certificates from the token", kGeneral | kTokens | kOneKey | kDelete, 0},
    {"key change-pin", "", "change the PIN of a token", kGeneral | kTokens | kNewPin, 0},
    {"key unblock", "", "set a new PIN with the PUK", kGeneral | kTokens | kNewPin | kPuk, 0},
    {"certs import", "FILE...", "put certificates into the address book", kGeneral, 10'000},
    {"certs list", "[ADDRESS]", "list the address book and one's own anchors", kGeneral, 1},
    {"certs export", "ADDRESS|FINGERPRINT", "write certificates of the address book", kGeneral | kOutput | kCertsForm,
     1},
    {"certs remove", "ADDRESS|FINGERPRINT", "remove certificates, or an anchor by its fingerprint", kGeneral, 1},
    {"certs lookup", "ADDRESS", "find certificates in the directories of the config", kGeneral | kTrust | kLookup, 1},
    {"certs trust", "FILE", "make a certificate an anchor of one's own", kGeneral, 1},
};

}  // namespace

std::span<const OptionSpec> option_table() {
    return kOptions;
}

std::span<const CommandSpec> command_table() {
    return kCommands;
}

const CommandSpec* find_command(std::string_view name) {
    const auto* found =
        std::find_if(std::begin(kCommands), std::end(kCommands), [&](const auto& spec) { return spec.name == name; });
    return found == std::end(kCommands) ? nullptr : found;
}

bool is_command_group(std::string_view name) {
    return name == "key" || name == "certs";
}

}  // namespace p11mime::cli
