#include "softhsm-tests/stacks/stack.h"

namespace p11mime::test {

namespace {

/// SoftHsmStack is the desk's own token.
class SoftHsmStack final : public Stack {
  public:
    SoftHsmStack()
        : Stack("Desk", std::string(kUserPin), {.always_authenticate = {}, .removal = "SoftHSM has no reader"}) {}

  private:
    Identity put(const Leaf& leaf) override { return import(leaf); }
};

}  // namespace

std::unique_ptr<Stack> start_softhsm() {
    return std::make_unique<SoftHsmStack>();
}

}  // namespace p11mime::test
