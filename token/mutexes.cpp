#include "token/mutexes.h"

#include <pthread.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "cms/handle.h"

namespace p11mime::token {

namespace {

constexpr std::time_t kLongestWait = 300;  // seconds: longer than any card takes, with others waiting before

/// Mutex is from malloc, since SoftHSM, where it does not initialise, frees mutexes that were made here as its own.
using Mutex = Handle<pthread_mutex_t, std::free>;

CK_RV create(void** made) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    Mutex mutex(static_cast<pthread_mutex_t*>(std::malloc(sizeof(pthread_mutex_t))));
    const int error = mutex ? pthread_mutex_init(mutex.get(), &attributes) : ENOMEM;
    pthread_mutexattr_destroy(&attributes);
    if (error != 0) return CKR_HOST_MEMORY;
    *made = mutex.release();
    return CKR_OK;
}

CK_RV destroy(void* mutex) {
    const Mutex owned(static_cast<pthread_mutex_t*>(mutex));
    if (!owned) return CKR_MUTEX_BAD;
    pthread_mutex_destroy(owned.get());
    return CKR_OK;
}

CK_RV lock(void* mutex) {
    if (mutex == nullptr) return CKR_MUTEX_BAD;
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += kLongestWait;
    const int error = pthread_mutex_clocklock(static_cast<pthread_mutex_t*>(mutex), CLOCK_MONOTONIC, &until);
    return error == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

CK_RV unlock(void* mutex) {
    if (mutex == nullptr) return CKR_MUTEX_BAD;
    return pthread_mutex_unlock(static_cast<pthread_mutex_t*>(mutex)) == 0 ? CKR_OK : CKR_MUTEX_NOT_LOCKED;
}

}  // namespace

void offer_mutexes(CK_C_INITIALIZE_ARGS& arguments) {
    arguments.CreateMutex = create;
    arguments.DestroyMutex = destroy;
    arguments.LockMutex = lock;
    arguments.UnlockMutex = unlock;
}

}  // namespace p11mime::token
