#include "softhsm-tests/stacks/nss_database.h"

namespace p11mime::test {

NssDatabase::NssDatabase(const Desk& desk, const std::string& password)
    : desk_(desk),
      database_("sql:" + desk.path("profile")),
      password_file_(desk.file("profile-password", password + "\n")) {
    std::filesystem::create_directory(desk.path("profile"));
    done(desk_.run({"certutil", "-N", "-d", database_, "-f", password_file_}));
}

std::string NssDatabase::arguments() const {
    return "configdir='" + database_ + "'";
}

void NssDatabase::import(const Identity& identity) const {
    const std::string bundle = desk_.path("bundle.p12");
    done(desk_.run({"openssl", "pkcs12", "-export", "-inkey", desk_.file("import.key", identity.key_pem), "-in",
                    desk_.file("import.pem", identity.certificate_pem), "-name", identity.name, "-passout",
                    "pass:import", "-out", bundle}));
    done(desk_.run({"pk12util", "-d", database_, "-k", password_file_, "-i", bundle, "-W", "import"}));
}

}  // namespace p11mime::test
