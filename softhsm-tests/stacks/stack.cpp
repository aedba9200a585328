#include "softhsm-tests/stacks/stack.h"

#include <fmt/format.h>
#include <unistd.h>

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

void need_root(const std::string& what_for) {
    if (::geteuid() != 0) throw Unavailable(fmt::format("{} needs root", what_for));
}

Stack::Stack(std::string token, std::string pin, Lacks lacks)
    : token_(std::move(token)), pin_(std::move(pin)), lacks_(std::move(lacks)) {
    office.desk.environment["DESK_PIN"] = pin_;
}

std::string Stack::token_uri() const {
    std::string uri = "pkcs11:token=";
    for (const char c : token_)
        uri += c == ' ' ? std::string("%20") : std::string(1, c);
    return uri;
}

const Identity& Stack::employ(const Leaf& leaf) {
    const auto known = employed_.find(leaf.name);
    return known != employed_.end() ? known->second : employed_.emplace(leaf.name, put(leaf)).first->second;
}

const Identity& Stack::employ_always_authenticate(const Leaf& leaf) {
    return employed_.emplace(leaf.name, put_always_authenticate(leaf)).first->second;
}

Identity Stack::put_always_authenticate(const Leaf& leaf) {
    return generate(leaf, {"--always-auth"});
}

void Stack::remove() {
    throw std::runtime_error("this token cannot be removed");
}

std::string Stack::tool(const std::vector<std::string>& options) const {
    const std::string& module = tool_module.empty() ? office.desk.module : tool_module;
    return done(office.desk.run(
        Arguments{"pkcs11-tool", "--module", module, "--token-label", token_, "--login", "--pin", pin_} + options));
}

Identity Stack::import(const Leaf& leaf) {
    Identity identity = office.correspond(leaf);
    const std::string id = next_id();
    const bool rsa = leaf.kind == KeyKind::rsa2048;
    tool({"--write-object", office.key(identity), "--type", "privkey", "--id", id, "--label", leaf.name, "--usage-sign",
          rsa ? "--usage-decrypt" : "--usage-derive"});
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
