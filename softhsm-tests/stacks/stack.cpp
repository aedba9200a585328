#include "softhsm-tests/stacks/stack.h"

#include <fmt/format.h>

#include <cctype>

namespace p11mime::test {

namespace {

/// tool_kind is a kind of key as pkcs11-tool's --key-type takes it.
std::string tool_kind(KeyKind kind) {
    switch (kind) {
        case KeyKind::rsa2048:
            return "rsa:2048";
        case KeyKind::p256:
            return "EC:prime256v1";
        case KeyKind::p384:
            return "EC:secp384r1";
        default:
            throw std::runtime_error("no stack is asked for this kind of key");
    }
}

}  // namespace

void need_file(const std::string& path, const std::string& package) {
    if (!std::filesystem::exists(path)) throw Unavailable(fmt::format("package {} is not installed", package));
}

void need_namespaces(const std::vector<std::string>& kinds) {
    const Outcome tried = run_process({.arguments = Arguments{"unshare"} + kinds + Arguments{"true"}});
    if (tried.status != 0) throw Unavailable("no right to make namespaces: " + tried.err);
}

std::string escaped(const std::string& text) {
    std::string all;
    for (const unsigned char c : text)
        all += std::isalnum(c) != 0 ? std::string(1, static_cast<char>(c)) : fmt::format("%{:02X}", c);
    return all;
}

Stack::Stack(Traits traits) : traits_(std::move(traits)) {
    office.desk.environment["DESK_PIN"] = pin();
    office.desk.environment["ASAN_OPTIONS"] = "detect_leaks=0";  // OpenSC, openCryptoki and tpm2-pkcs11 leak
}

std::string Stack::token_uri() const {
    return "pkcs11:token=" + escaped(token());
}

const Identity& Stack::employ(const Leaf& leaf) {
    const auto known = employed_.find(leaf.name);
    return known != employed_.end() ? known->second : employed_.emplace(leaf.name, put(leaf)).first->second;
}

const Identity& Stack::employ_always_authenticate(const Leaf& leaf) {
    return employed_.emplace(leaf.name, put_always_authenticate(leaf)).first->second;
}

void Stack::remove() {
    throw std::runtime_error("this token cannot be removed");
}

Arguments Stack::tool_command() const {
    return {"pkcs11-tool", "--module", tool_module.empty() ? office.desk.module : tool_module};
}

void Stack::initialise() const {
    const std::string so_pin(kSoPin);
    done(office.desk.run(tool_command() +
                         Arguments{"--init-token", "--slot-index", "0", "--label", token(), "--so-pin", so_pin}));
    done(office.desk.run(tool_command() + Arguments{"--token-label", token(), "--login", "--login-type", "so",
                                                    "--so-pin", so_pin, "--init-pin", "--new-pin", pin()}));
}

std::string Stack::tool(const std::vector<std::string>& options) const {
    return done(
        office.desk.run(tool_command() + Arguments{"--token-label", token(), "--login", "--pin", pin()} + options));
}

std::string Stack::tool_says(const std::vector<std::string>& options) const {
    const Outcome outcome = office.desk.run(tool_command() + options);
    return outcome.out + outcome.err;
}

Identity Stack::import(const Leaf& leaf, Half half) {
    Identity identity = office.correspond(leaf);
    const std::string id = next_id();
    const bool rsa = leaf.kind == KeyKind::rsa2048;
    tool({"--write-object", office.key(identity), "--type", "privkey", "--id", id, "--label", leaf.name, "--usage-sign",
          rsa ? "--usage-decrypt" : "--usage-derive"});
    if (half == Half::both) {
        const std::string spki = office.desk.path("public.der");
        done(office.desk.run(
            {"openssl", "pkey", "-in", office.key(identity), "-pubout", "-outform", "DER", "-out", spki}));
        tool({"--write-object", spki, "--type", "pubkey", "--id", id, "--label", leaf.name});
    }
    put_certificate(identity, id);
    return identity;
}

Identity Stack::generate(const Leaf& leaf, const std::vector<std::string>& further) {
    const std::string id = next_id();
    tool(Arguments{"--keypairgen", "--key-type", tool_kind(leaf.kind), "--id", id, "--label", leaf.name, "--usage-sign",
                   leaf.kind == KeyKind::rsa2048 ? "--usage-decrypt" : "--usage-derive"} +
         further);
    const std::string spki = office.desk.path("public.der");
    tool({"--read-object", "--type", "pubkey", "--id", id, "--output-file", spki});
    Identity identity = office.pki.issue_for_key(leaf, read_file(spki));
    office.desk.file(leaf.name + ".pem", identity.certificate_pem);
    put_certificate(identity, id);
    return identity;
}

std::string Stack::next_id() {
    return fmt::format("{:02x}", ++last_id_);
}

void Stack::put_certificate(const Identity& identity, const std::string& id) const {
    tool({"--write-object", office.desk.file("put.der", identity.certificate_der()), "--type", "cert", "--id", id,
          "--label", identity.name});
}

}  // namespace p11mime::test
