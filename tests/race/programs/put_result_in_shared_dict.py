# Whoever looks for the result polls the dict: publication without order.
# expect: data-race results['answer']
import threading

results = {}


def compute():
    results["answer"] = 42


def wait_for_answer():
    while "answer" not in results:
        pass


threads = [threading.Thread(target=wait_for_answer), threading.Thread(target=compute)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(results)
