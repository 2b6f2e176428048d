import json
import re
import threading


def work(number):
    for step in range(20):
        pattern = re.compile(r"(\d+)-(%d)" % (step % 7))
        pattern.findall("12-%d 13-%d" % (step, number))
        re.sub(r"\s+", " ", "a  b   c")
        text = json.dumps({"number": number, "steps": [step, {"deep": None}]}, indent=1)
        json.loads(text)


threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
