import contextvars
import threading

user = contextvars.ContextVar("user", default="nobody")


def work(number):
    for step in range(20):
        token = user.set("user %d" % number)
        user.get().upper()
        user.reset(token)


def work_in(context, number):
    context.run(work, number)


threads = [
    threading.Thread(target=work_in, args=(contextvars.copy_context(), number))
    for number in range(4)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(user.get())
