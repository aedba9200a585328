#include "softhsm-tests/support/softhsm.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <stdexcept>

#include "cms/handle.h"
#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/process.h"

namespace p11mime::test {

namespace {

std::string first_existing(std::initializer_list<const char*> candidates) {
    for (const char* path : candidates)
        if (std::filesystem::exists(path)) return path;
    throw std::runtime_error(fmt::format("{} is not installed", *candidates.begin()));
}

std::string run_checked(std::vector<std::string> arguments) {
    const Outcome outcome = run_process({.arguments = std::move(arguments),
                                         .environment = {},
                                         .input = {},
                                         .input_file = {},
                                         .generate = {},
                                         .consume = {},
                                         .directory = {}});
    if (outcome.status != 0) throw std::runtime_error(outcome.out + outcome.err);
    return outcome.out;
}

KeyHandle read_key(const std::string& pem_file) {
    const std::string pem = read_file(pem_file);
    const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    KeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    if (!key) throw std::runtime_error(pem_file + " holds no private key in PEM");
    return key;
}

std::vector<std::string> tool_command(const std::string& token, std::string_view pin) {
    return {"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", token, "--login", "--pin", std::string(pin)};
}

}  // namespace

std::vector<std::string> key_import(const std::string& token, const std::string& pem_file, const std::string& label,
                                    const std::string& id_hex, std::string_view pin) {
    const KeyHandle key = read_key(pem_file);
    const int type = EVP_PKEY_get_base_id(key.get());
    if (type != EVP_PKEY_RSA && type != EVP_PKEY_EC)
        return {
            built_path("p11mime-put-edwards-key"), SoftHsm::module(), token, std::string(pin), pem_file, label, id_hex};
    std::vector<std::string> command = tool_command(token, pin);
    command.insert(command.end(),
                   {"--write-object", pem_file, "--type", "privkey", "--label", label, "--id", id_hex, "--usage-sign"});
    if (type == EVP_PKEY_RSA) command.push_back("--usage-decrypt");
    if (type == EVP_PKEY_EC) command.push_back("--usage-derive");
    return command;
}

SoftHsm::SoftHsm(std::string_view mechanisms) {
    std::filesystem::create_directory(directory_.path() / "tokens");
    restrict(mechanisms);
    setenv("SOFTHSM2_CONF", configuration().c_str(), 1);
}

SoftHsm::~SoftHsm() {
    unsetenv("SOFTHSM2_CONF");
}

std::string SoftHsm::module() {
    return first_existing({"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                           "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"});
}

std::string SoftHsm::spy_module() {
    return first_existing({"/usr/lib/x86_64-linux-gnu/pkcs11-spy.so", "/usr/lib/x86_64-linux-gnu/pkcs11/pkcs11-spy.so",
                           "/usr/lib/aarch64-linux-gnu/pkcs11-spy.so"});
}

std::string SoftHsm::configuration() const {
    return directory_ / "softhsm2.conf";
}

void SoftHsm::restrict(std::string_view mechanisms) const {
    write_file(configuration(), fmt::format("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n"
                                            "slots.removable = false\nslots.mechanisms = {}\n",
                                            directory_ / "tokens", mechanisms));
}

void SoftHsm::add_token(const std::string& label, std::string_view pin) const {
    run_checked({"softhsm2-util", "--init-token", "--free", "--label", label, "--pin", std::string(pin), "--so-pin",
                 std::string(kSoPin)});
}

void SoftHsm::import_key(const std::string& token, const std::string& pem_file, const std::string& label,
                         const std::string& id_hex, std::string_view pin) const {
    run_checked(key_import(token, pem_file, label, id_hex, pin));
}

void SoftHsm::import_public_key(const std::string& token, const std::string& pem_file, const std::string& label,
                                const std::string& id_hex, std::string_view pin) const {
    tool(token, {"--write-object", pem_file, "--type", "pubkey", "--label", label, "--id", id_hex}, pin);
}

void SoftHsm::import_certificate(const std::string& token, const std::string& der_file, const std::string& label,
                                 const std::string& id_hex, std::string_view pin) const {
    tool(token, {"--write-object", der_file, "--type", "cert", "--label", label, "--id", id_hex}, pin);
}

void SoftHsm::generate(const std::string& token, const std::string& kind, const std::string& label,
                       const std::string& id_hex, const std::vector<std::string>& further, std::string_view pin) const {
    std::vector<std::string> options = {"--keypairgen", "--key-type", kind, "--label", label, "--id", id_hex};
    options.insert(options.end(), further.begin(), further.end());
    tool(token, options, pin);
}

std::string SoftHsm::tool(const std::string& token, const std::vector<std::string>& options,
                          std::string_view pin) const {
    std::vector<std::string> arguments = tool_command(token, pin);
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run_checked(std::move(arguments));
}

}  // namespace p11mime::test
