#include "softhsm-tests/stacks/nss_database.h"
#include "softhsm-tests/stacks/stack.h"

namespace p11mime::test {

namespace {

/// NssStack is the keys of a mail program.
class NssStack final : public Stack {
  public:
    NssStack()
        : Stack({.token = NssDatabase::kLabel,
                 .pin = "a password 1",
                 .no_always_authenticate = "NSS has no such keys",
                 .no_removal = "a database stays"}),
          database_(office.desk, pin()) {
        office.desk.module = std::string(NssDatabase::kModule) + " " + database_.arguments();
    }

  private:
    Identity put(const Leaf& leaf) override {
        Identity identity = office.correspond(leaf);
        database_.import(identity);
        return identity;
    }

    NssDatabase database_;
};

}  // namespace

std::unique_ptr<Stack> start_nss() {
    need_file(NssDatabase::kModule, "libnss3");
    need_file("/usr/bin/certutil", "libnss3-tools");
    return std::make_unique<NssStack>();
}

}  // namespace p11mime::test
