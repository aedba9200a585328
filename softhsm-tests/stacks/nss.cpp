#include <fmt/format.h>

#include "softhsm-tests/stacks/stack.h"

namespace p11mime::test {

namespace {

constexpr const char* kModule = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so";

/// NssStack is the database of a Thunderbird or Firefox profile.
class NssStack final : public Stack {
  public:
    NssStack()
        : Stack("NSS Certificate DB", "a password 1",
                {.always_authenticate = "NSS makes no such keys", .removal = "a database has no reader"}),
          database_("sql:" + office.desk.path("profile")),
          password_file_(office.desk.file("password", pin() + "\n")) {
        need_file(kModule, "libnss3");
        need_file("/usr/bin/certutil", "libnss3-tools");
        std::filesystem::create_directory(office.desk.path("profile"));
        done(office.desk.run({"certutil", "-N", "-d", database_, "-f", password_file_}));
        office.desk.module = fmt::format("{} configdir='{}'", kModule, database_);
    }

  private:
    Identity put(const Leaf& leaf) override {
        Identity identity = office.correspond(leaf);
        const std::string bundle = office.desk.path("bundle.p12");
        done(office.desk.run({"openssl", "pkcs12", "-export", "-inkey", office.key(identity), "-in",
                              office.certificate(identity), "-name", leaf.name, "-passout", "pass:import", "-out",
                              bundle}));
        done(office.desk.run({"pk12util", "-d", database_, "-k", password_file_, "-i", bundle, "-W", "import"}));
        return identity;
    }

    std::string database_;
    std::string password_file_;
};

}  // namespace

std::unique_ptr<Stack> start_nss() {
    return std::make_unique<NssStack>();
}

}  // namespace p11mime::test
