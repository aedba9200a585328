#include "softhsm-tests/stacks/stack.h"

namespace p11mime::test {

namespace {

/// SoftHsmStack is the desk's own token.
class SoftHsmStack final : public Stack {
  public:
    explicit SoftHsmStack(std::string_view mechanisms)
        : Stack({.token = "Desk", .pin = std::string(kUserPin), .no_removal = "SoftHSM has no reader"}) {
        office.desk.restrict(mechanisms);
    }

  private:
    Identity put(const Leaf& leaf) override { return import(leaf); }
};

}  // namespace

std::unique_ptr<Stack> start_softhsm() {
    return std::make_unique<SoftHsmStack>("ALL");
}

std::unique_ptr<Stack> start_poor_softhsm() {
    return std::make_unique<SoftHsmStack>("CKM_RSA_PKCS_KEY_PAIR_GEN,CKM_RSA_PKCS,CKM_RSA_PKCS_OAEP");
}

}  // namespace p11mime::test
